// Package logsink renders events as log records. [To] makes, for any event struct and any slog.Handler, the tracer that
// writes one record per event: components emit events, mains decide where the lines go. Do not use it in a component:
// that would tie its events to text.
//
// # What a record holds
//
//   - Time: the world's, so that the log of a simulation is the same in each run.
//   - Level: the event's Level method, if it has one; else error if it has an error field that is not nil, info otherwise.
//   - Message: the event's Message or String method, if it has one; else its type's name as words: "block added".
//   - component: the name given to To. scope: the path of scopes and tasks the event was emitted in, if there is one.
//   - The event's LogValue, if it is a slog.LogValuer; else its exported fields, by name, with the first letter
//     lowered. Embedded structs are flattened. Errors and Stringers are written as text. A field with the tag
//     `log:"-"` is left out, one with `log:"name"` is called so, and with `log:",omitempty"` a zero value is left out.
//
// # Cost
//
// The fields are found once, when To is called. If the handler is not enabled for the level, nothing is rendered.
// With a nil handler To is off.
//
// # Concurrency
//
// As the handler's: those of log/slog may be used from any goroutine.
package logsink
