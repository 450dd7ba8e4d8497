// Package store is to keep the state of the broker. This is its place.
package store

type Store struct{}
type Batch struct{}

func (s *Store) NewBatch() *Batch                   { return &Batch{} }
func (s *Store) Commit(b *Batch) error              { return nil }
func (s *Store) Load(func(k, v []byte) error) error { return nil }
func (b *Batch) Len() int                           { return 0 }
func (b *Batch) Size() int                          { return 0 }
func (b *Batch) Reset()                             {}
func (b *Batch) Set(k, v []byte)                    {}
func (b *Batch) Delete(k []byte)                    {}
func (b *Batch) DeletePrefix(k []byte)              {}
