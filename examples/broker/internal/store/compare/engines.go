package main

import (
	"bytes"
	"fmt"
	"path/filepath"

	pebble1 "github.com/cockroachdb/pebble"
	"github.com/cockroachdb/pebble/v2"
	"github.com/dgraph-io/badger/v4"
	"github.com/tidwall/buntdb"
	bolt "go.etcd.io/bbolt"
)

// change is a set, or without a value the deletion of a key.
type change struct{ key, value []byte }

// engine is what a store needs of one: changes that are made together and are
// on the disk then, and all pairs.
type engine interface {
	commit([]change) error
	load(func(key, value []byte)) error
	close() error
}

var names = []string{"pebble v2", "pebble v1", "bbolt", "badger", "buntdb"}

func open(name, folder string) (engine, error) {
	switch name {
	case "pebble v2":
		db, err := pebble.Open(folder, &pebble.Options{CacheSize: 1 << 20, FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}})
		return pebble2Engine{db}, err
	case "pebble v1":
		db, err := pebble1.Open(folder, &pebble1.Options{Logger: quiet{}})
		return pebble1Engine{db}, err
	case "bbolt":
		db, err := bolt.Open(filepath.Join(folder, "db"), 0o600, &bolt.Options{FreelistType: bolt.FreelistMapType, NoFreelistSync: true})
		if err != nil {
			return nil, err
		}
		return boltEngine{db}, db.Update(func(tx *bolt.Tx) error {
			_, err := tx.CreateBucketIfNotExists(bucket)
			return err
		})
	case "badger":
		db, err := badger.Open(badger.DefaultOptions(folder).WithSyncWrites(true).WithLogger(nil))
		return badgerEngine{db}, err
	case "buntdb":
		db, err := buntdb.Open(filepath.Join(folder, "db"))
		if err != nil {
			return nil, err
		}
		return buntEngine{db}, db.SetConfig(buntdb.Config{SyncPolicy: buntdb.Always, AutoShrinkPercentage: 100, AutoShrinkMinSize: 8 << 20})
	}
	return nil, fmt.Errorf("no engine %s", name)
}

type quiet struct{}

func (quiet) Infof(string, ...any)         {}
func (quiet) Errorf(string, ...any)        {}
func (quiet) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }

type pebble2Engine struct{ *pebble.DB }

func (e pebble2Engine) commit(changes []change) error {
	b := e.NewBatch()
	defer b.Close()
	for _, c := range changes {
		if c.value == nil {
			_ = b.Delete(c.key, nil)
		} else {
			_ = b.Set(c.key, c.value, nil)
		}
	}
	return b.Commit(pebble.Sync)
}

func (e pebble2Engine) load(f func(key, value []byte)) error {
	it, err := e.NewIter(nil)
	if err != nil {
		return err
	}
	for it.First(); it.Valid(); it.Next() {
		f(it.Key(), it.Value())
	}
	return it.Close()
}

func (e pebble2Engine) close() error { return e.Close() }

type pebble1Engine struct{ *pebble1.DB }

func (e pebble1Engine) commit(changes []change) error {
	b := e.NewBatch()
	defer b.Close()
	for _, c := range changes {
		if c.value == nil {
			_ = b.Delete(c.key, nil)
		} else {
			_ = b.Set(c.key, c.value, nil)
		}
	}
	return b.Commit(pebble1.Sync)
}

func (e pebble1Engine) load(f func(key, value []byte)) error {
	it, err := e.NewIter(nil)
	if err != nil {
		return err
	}
	for it.First(); it.Valid(); it.Next() {
		f(it.Key(), it.Value())
	}
	return it.Close()
}

func (e pebble1Engine) close() error { return e.Close() }

var bucket = []byte("b")

type boltEngine struct{ *bolt.DB }

func (e boltEngine) commit(changes []change) error {
	return e.Update(func(tx *bolt.Tx) (err error) {
		b := tx.Bucket(bucket)
		for _, c := range changes {
			if c.value == nil {
				err = b.Delete(c.key)
			} else {
				err = b.Put(c.key, c.value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (e boltEngine) load(f func(key, value []byte)) error {
	return e.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, v []byte) error { f(k, v); return nil })
	})
}

func (e boltEngine) close() error { return e.Close() }

type badgerEngine struct{ *badger.DB }

func (e badgerEngine) commit(changes []change) error {
	return e.Update(func(tx *badger.Txn) (err error) {
		for _, c := range changes {
			if c.value == nil {
				err = tx.Delete(bytes.Clone(c.key))
			} else {
				err = tx.Set(bytes.Clone(c.key), bytes.Clone(c.value))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (e badgerEngine) load(f func(key, value []byte)) error {
	return e.View(func(tx *badger.Txn) error {
		it := tx.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if err := it.Item().Value(func(v []byte) error { f(it.Item().Key(), v); return nil }); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e badgerEngine) close() error { return e.Close() }

type buntEngine struct{ *buntdb.DB }

func (e buntEngine) commit(changes []change) error {
	return e.Update(func(tx *buntdb.Tx) error {
		for _, c := range changes {
			var err error
			if c.value == nil {
				_, err = tx.Delete(string(c.key))
			} else {
				_, _, err = tx.Set(string(c.key), string(c.value), nil)
			}
			if err != nil && err != buntdb.ErrNotFound {
				return err
			}
		}
		return nil
	})
}

func (e buntEngine) load(f func(key, value []byte)) error {
	return e.View(func(tx *buntdb.Tx) error {
		return tx.Ascend("", func(k, v string) bool { f([]byte(k), []byte(v)); return true })
	})
}

func (e buntEngine) close() error { return e.Close() }
