package registry

import (
	"context"

	"kit/stm"
)

type Scope struct{}

type Task[T any] struct{}

func Run(ctx context.Context, body func(ctx context.Context, s *Scope) error) error { return nil }

func (s *Scope) Go(name string, f func(ctx context.Context) error) {}

func Fork[T any](s *Scope, name string, f func(ctx context.Context) (T, error)) *Task[T] { return nil }

func (t *Task[T]) Poll(tx *stm.Tx) (value T, err error, done bool) { return }
func (t *Task[T]) Wait(ctx context.Context) (value T, err error)   { return }
func Path(ctx context.Context) string                              { return "" }
