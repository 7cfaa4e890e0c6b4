// The entry module of pages that need no sign-in.
import "page/timezone";
import "page/retry-page";
import "page/clear-storage";
