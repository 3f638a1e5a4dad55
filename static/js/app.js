// The chat's pages, come to life. Without this they still read, write and page through.

import "chat/elements/local-time"
import "chat/elements/connection-state"
import "chat/elements/room-list"
import "chat/elements/message-list"
import "chat/elements/message-composer"
import "chat/elements/room-details"
import "chat/elements/room-switcher"
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
