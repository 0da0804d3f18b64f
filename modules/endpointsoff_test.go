package modules_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Endpoints that this package adds are turned off as those of the actuator are.
func TestEndpointsAreTurnedOffInTheConfiguration(t *testing.T) {
	t.Parallel()
	for id, paths := range map[string][]string{
		"alarms":      {"/alarms"},
		"conditions":  {"/conditions"},
		"configprops": {"/configprops", "/configprops/alarms"},
		"deadletters": {"/deadletters/deadletters/letters"},
		"env":         {"/env", "/env/alarms.every"},
		"journal":     {"/journal"},
		"runs":        {"/runs"},
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			a := alarmedBy(t, "management: {endpoints: {"+id+": false}}")
			for _, path := range paths {
				status, text, err := get(t.Context(), a.srv, "/actuator"+path)
				require.NoError(t, err)
				assert.Equal(t, http.StatusNotFound, status, text)
			}
			if id == "alarms" {
				status, text := post(t, a.srv, "/actuator/alarms/log/test", "")
				assert.Equal(t, http.StatusNotFound, status, text)
			}
			status, text, err := get(t.Context(), a.srv, "/actuator")
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, status)
			assert.NotContains(t, text, `"`+id+`"`)
			assert.Contains(t, text, `"health"`, "the others are there")
			close(a.release)
			require.NoError(t, a.app.Stop(context.Background()))
		})
	}
}
