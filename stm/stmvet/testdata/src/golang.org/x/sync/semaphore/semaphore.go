package semaphore

type Weighted struct{}

func (*Weighted) TryAcquire(n int64) bool { return true }
