// What pages load that nobody needs to be signed in for.
import "page/timezone";
import "page/again";
import "page/forgotten";
