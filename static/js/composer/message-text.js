// Validates the text of a message by the rules of the server (messaging/domain/text.py, cruddur/text.py).

export const MAX_LENGTH = 1024; // code points

// White space, control and other invisible characters, and letters without a glyph.
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
export function isSendable(text) {
  const normalised = normalise(text);
  return !BLANK.test(normalised) && lengthOf(normalised) <= MAX_LENGTH;
}

/**
 * Return whether the text is only one to three emoji, which are shown large.
 *
 * @param {string} text
 */
export function isEmoji(text) {
  try {
    return new RegExp("^\\s*(?:\\p{RGI_Emoji}\\s*){1,3}$", "v").test(text);
  } catch {
    return false; // unsupported by this browser: shown large once the server has stored it
  }
}
