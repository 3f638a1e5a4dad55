// The chat, come to life. Without it, pages still read and write.

import "#local-time"
import "#connection-state"
import "#room-list"
import "#message-list"
import "#message-composer"
import "#word-completion"
import "#emoji-picker"
import "#live-line"
import "#notifications"
import { start } from "#live"
import { forgetEverything } from "#outbox"
import { one } from "#page"

one("[data-log-out]").addEventListener("submit", forgetEverything)
start()
