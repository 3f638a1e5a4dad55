// The chat, come to life. Without it, pages still read and write.

import "chat/local-time"
import "chat/connection-state"
import "chat/room-list"
import "chat/message-list"
import "chat/message-composer"
import "chat/word-completion"
import "chat/emoji-picker"
import "chat/room-switcher"
import "chat/live-line"
import "chat/keys"
import "chat/notifications"
import { one } from "chat/dom"
import { forgetEverything } from "chat/kept"
import { start } from "chat/live"

one("[data-log-out]").addEventListener("submit", forgetEverything)
start()
