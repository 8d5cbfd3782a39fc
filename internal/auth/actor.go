package auth

import (
	"context"
	"strings"
)

// MaxActor bounds the name of an actor, in bytes.
const MaxActor = 300

// NoActor is who did what nobody has put a name to.
const NoActor = "unknown"

type actorKey struct{}

// WithActor says who does what is done under this context: root@host for the
// command line. What no database can hold is cut or replaced.
func WithActor(ctx context.Context, actor string) context.Context {
	if len(actor) > MaxActor {
		actor = actor[:MaxActor]
	}
	actor = strings.ReplaceAll(strings.ToValidUTF8(actor, "?"), "\x00", "?")
	return context.WithValue(ctx, actorKey{}, actor)
}

// ActorOf tells who acts; NoActor where nobody has said.
func ActorOf(ctx context.Context) string {
	if actor, ok := ctx.Value(actorKey{}).(string); ok && actor != "" {
		return actor
	}
	return NoActor
}
