module github.com/mqttcore/mqttcore/examples/compare

go 1.26

require github.com/mqttcore/mqttcore v0.0.0

replace github.com/mqttcore/mqttcore => ../../
