package store

import (
	"errors"
	"os"
	"path/filepath"
)

// DefaultFolder returns the folder for the state of a broker of this user,
// $XDG_STATE_HOME/mqttcore-broker, or ~/.local/state/mqttcore-broker. It need
// not be there.
func DefaultFolder() (string, error) {
	// The XDG Base Directory Specification has relative paths ignored.
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "mqttcore-broker"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return "", errors.New("there is no home folder for the store: set HOME or XDG_STATE_HOME, or choose a folder")
	}
	return filepath.Join(home, ".local", "state", "mqttcore-broker"), nil
}
