// The chat, come to life. Without it, pages still read and write.

import "chat/elements/local-time"
import "chat/elements/connection-state"
import "chat/elements/room-list"
import "chat/elements/message-list"
import "chat/elements/message-composer"
import "chat/elements/room-details"
import "chat/elements/room-switcher"
import "chat/elements/typing-line"
import * as keys from "chat/keys"
import * as live from "chat/live"
import { forgetEverything } from "chat/models/kept"
import * as outbox from "chat/outbox"
import * as visit from "chat/visit"

document.querySelector("[data-log-out]").addEventListener("submit", forgetEverything)
keys.start()
visit.start()
outbox.start()
live.start()
