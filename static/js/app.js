// The entry module of signed-in pages. Each module does nothing on pages without the elements it needs.
import "page/timezone";
import "page/shortcuts";
import "conversation/roving-focus";
import "page/notifications";
import "page/notification-setting";

import "realtime/shared-stream";
import "conversation/live-updates";
import "conversation/sync";
import "conversation-list/live-updates";
import "page/unread-total";
import "conversation/typing";
import "realtime/connection-banner";
import "conversation/read-receipts";
import "conversation/conversation-menu";

import "conversation/initial-scroll";
import "conversation/infinite-scroll";
import "conversation/read-tracking";
import "conversation/jump-to-newest";
import "page/day-labels";
import "conversation-list/infinite-scroll";
import "conversation-list/search";
import "conversation-list/scroll-restoration";

import "composer/send-message";
import "composer/drafts";
import "conversation/saved-edit";
import "outbox/delivery";
import "conversation-list/unsent-previews";
import "conversation/message-menu";
import "page/sign-out-guard";
