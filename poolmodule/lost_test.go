package poolmodule_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// jobs are functions with a name.
type jobs struct{}

func (jobs) a(context.Context) {}
func (jobs) b(context.Context) {}
func (jobs) c(context.Context) {}
func (jobs) d(context.Context) {}
func (jobs) e(context.Context) {}
func (jobs) f(context.Context) {}
func (jobs) g(context.Context) {}

// TestLostTasksAreNamed: in the error of the stop and in the receipt.
func TestLostTasksAreNamed(t *testing.T) {
	t.Parallel()
	failed := errors.New("disk full")
	var is jobs

	for _, tt := range []struct {
		name  string
		tasks []func(context.Context)
		opt   poolmodule.Option
		want  string
	}{
		{
			"TheMostFrequentFirst", []func(context.Context){is.b, is.a, is.b}, nil,
			"pool sms: 3 tasks lost: poolmodule_test.jobs.b ×2, poolmodule_test.jobs.a ×1: no saver is given; see SaveTasks, or use a lane and SaveWith",
		},
		{
			"ManyAreSummedUp", []func(context.Context){is.a, is.b, is.c, is.d, is.e, is.f, is.g, is.g}, nil,
			"pool sms: 8 tasks lost: poolmodule_test.jobs.g ×2, poolmodule_test.jobs.a ×1, poolmodule_test.jobs.b ×1, poolmodule_test.jobs.c ×1, poolmodule_test.jobs.d ×1, and 2 more of 2 others: no saver",
		},
		{
			"WhatTheSaverHasSettledIsNotLost", []func(context.Context){is.a, is.b},
			poolmodule.SaveTasks(func(_ context.Context, tasks []pool.Task) error { tasks[0].Save(); return failed }),
			"pool sms: 1 task lost: poolmodule_test.jobs.b ×1: disk full",
		},
		{
			"NorIsAnythingIfItHasSettledAll", []func(context.Context){is.a},
			poolmodule.SaveTasks(func(_ context.Context, tasks []pool.Task) error { tasks[0].Save(); return failed }),
			"pool sms: disk full",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var in smsPool
			var conductor *lifecycle.Conductor
			opts := []poolmodule.Option{}
			if tt.opt != nil {
				opts = append(opts, tt.opt)
			}
			app := fx.New(fx.NopLogger, lifecycle.Module(), poolmodule.Provide("sms", pool.Config{Queue: 10}, opts...), fx.Populate(&in, &conductor))
			require.NoError(t, app.Err())
			for _, task := range tt.tasks { // nobody starts the pool: all are handed back
				require.NoError(t, in.Pool.Submit(t.Context(), task))
			}
			require.ErrorContains(t, conductor.Stop(t.Context()), tt.want)
			assert.Contains(t, conductor.Receipt().String(), tt.want)
		})
	}
}
