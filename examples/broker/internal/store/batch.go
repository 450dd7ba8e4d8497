package store

import "github.com/cockroachdb/pebble/v2"

// A Batch is a sequence of changes that are made together. It keeps nothing
// that it is given.
type Batch struct {
	store *Store
	b     *pebble.Batch
	size  int
}

// NewBatch returns an empty batch for s.
func (s *Store) NewBatch() *Batch { return &Batch{store: s, b: s.db.NewBatch()} }

// Set stores a value under a key, in place of one that is there.
func (b *Batch) Set(key, value []byte) {
	op := b.b.SetDeferred(1+len(key), len(value))
	putKey(op.Key, key)
	copy(op.Value, value)
	b.finish(op)
}

// Delete removes a key, which need not be there.
func (b *Batch) Delete(key []byte) {
	op := b.b.DeleteDeferred(1 + len(key))
	putKey(op.Key, key)
	b.finish(op)
}

// DeletePrefix removes all keys that begin with prefix.
func (b *Batch) DeletePrefix(prefix []byte) {
	op := b.b.DeleteRangeDeferred(1+len(prefix), 1+len(prefix))
	putKey(op.Key, prefix)
	putKey(op.Value, prefix)
	// The end is the first key behind: the prefix, counted up by one.
	end := op.Value
	for i := len(end) - 1; ; i-- {
		if end[i]++; end[i] != 0 {
			break
		}
	}
	b.finish(op)
}

func (b *Batch) finish(op *pebble.DeferredBatchOp) {
	_ = op.Finish() // fails only in batches with an index
	b.size += len(op.Key) + len(op.Value)
}

func putKey(dst, key []byte) {
	dst[0] = pairs
	copy(dst[1:], key)
}

// Len returns the number of changes.
func (b *Batch) Len() int { return int(b.b.Count()) }

// Size returns the bytes of its keys and values.
func (b *Batch) Size() int { return b.size }

// Reset empties the batch for other changes. It is not called during Commit.
func (b *Batch) Reset() {
	b.size = 0
	if p := b.store.pending; p != nil && p.batch == b.b {
		b.b = b.store.db.NewBatch() // the engine still has the other
		return
	}
	b.b.Reset()
}
