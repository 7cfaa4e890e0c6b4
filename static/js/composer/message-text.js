// The rules of a message's text, as the server has them (messaging/domain/text.py, cruddur/text.py).

export const LONGEST = 1024; // code points

// White space, control and other invisible characters, and letters that are drawn as nothing.
const BLANK = /^(?:[\p{C}\p{Z}\u115f\u1160\u2800\u3164\uffa0]|\u034f|[\ufe00-\ufe0f])*$/u;

/** @param {string} text */
export function normalise(text) {
  return text.replace(/\r\n?/g, "\n").normalize("NFC");
}

/** @param {string} text normalised */
export function lengthOf(text) {
  return [...text].length;
}

/** @param {string} text */
export function canBeSent(text) {
  const normalised = normalise(text);
  return !BLANK.test(normalised) && lengthOf(normalised) <= LONGEST;
}

/**
 * Whether the text is one to three emoji and nothing else, which are shown large.
 *
 * @param {string} text
 */
export function isEmoji(text) {
  try {
    return new RegExp("^\\s*(?:\\p{RGI_Emoji}\\s*){1,3}$", "v").test(text);
  } catch {
    return false; // a browser that does not know these: shown large once it is stored
  }
}
