// What pages of a signed-in person load. Each module does nothing on a page that has not what it needs.
import "page/timezone";
import "page/shortcuts";
import "page/arrows";
import "page/notifications";
import "page/notification-setting";

import "live/tabs";
import "live/thread";
import "live/catch-up";
import "live/list";
import "live/total";
import "live/typing";
import "live/banner";
import "thread/receipt";
import "thread/options";

import "reading/opening";
import "reading/paging";
import "reading/seen";
import "reading/jump";
import "reading/midnight";
import "reading/list-more";
import "reading/list-search";
import "reading/list-place";

import "writing/composer";
import "writing/drafts";
import "writing/kept-edit";
import "writing/sending";
import "writing/rows";
import "writing/message-menu";
import "writing/leaving";
