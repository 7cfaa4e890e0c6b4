// What pages of a signed-in person load. Each module does nothing on a page that has not what it needs.
import "page/timezone";

import "mark-read";
import "earlier";

import "composer";
