// Package access is to say who may do what. This is its place.
package access

import "github.com/mqttcore/mqttcore/examples/broker/internal/config"

type Access struct{}

func Load(*config.Access) (*Access, error)                          { return &Access{}, nil }
func (a *Access) AllowAnonymous() bool                              { return true }
func (a *Access) HasPasswords() bool                                { return false }
func (a *Access) Check(user string, password []byte, has bool) bool { return true }
func (a *Access) MayWrite(user, id string, topic []byte) bool       { return true }
func (a *Access) MayRead(user, id string, topic []byte) bool        { return true }
func (a *Access) MaySubscribe(user, id string, filter []byte) bool  { return true }
