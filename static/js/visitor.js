// What pages load that nobody needs to be signed in for.
import "page/timezone";
import "page/retry-page";
import "page/clear-storage";
