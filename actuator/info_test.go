package actuator_test

import (
	"net/http"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/lastcall-go/lastcall/actuator"
)

func TestInfo(t *testing.T) {
	body := get(t, running(t, actuator.Config{}), "/actuator/info", http.StatusOK)
	assert.Equal(t, object{"name": runtime.GOOS, "arch": runtime.GOARCH}, body["os"])
	assert.Equal(t, runtime.Version(), body["go"].(object)["version"])
	assert.EqualValues(t, os.Getpid(), body["process"].(object)["pid"])
	assert.NotEmpty(t, body["process"].(object)["uptime"])
	assert.Equal(t, "actuator.test", body["build"].(object)["name"])

	t.Run("WhatTheConfigurationAdds", func(t *testing.T) {
		body := get(t, running(t, actuator.Config{Info: object{
			"team": object{"name": "billing", "token": "s3cret"}, "build": object{"name": "sms"},
		}}), "/actuator/info", http.StatusOK)
		assert.Equal(t, object{"name": "billing", "token": "******"}, body["team"])
		assert.Equal(t, object{"name": "sms"}, body["build"])
		assert.Contains(t, body, "process")
	})
}
