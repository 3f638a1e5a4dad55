import "chat/elements/local-time"
