package singleflight

type Group struct{}

func (*Group) Do(key string, f func() (any, error)) (any, error, bool) { return nil, nil, false }
