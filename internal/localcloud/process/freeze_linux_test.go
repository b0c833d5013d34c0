package process

import (
	"os/exec"
	"slices"
	"testing"
)

// states returns what Linux says of each process: T for one that is stopped.
func states(t *testing.T, pids []int) []string {
	t.Helper()
	var out []string
	for _, pid := range pids {
		fields, err := status(pid)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fields[fieldState])
	}
	return out
}

func await(t *testing.T, pids []int, condition func(state string) bool) {
	t.Helper()
	until(t, func() bool {
		return !slices.ContainsFunc(states(t, pids), func(s string) bool { return !condition(s) })
	})
}

func stopped(state string) bool { return state == "T" }

func running(state string) bool { return state == "R" || state == "S" }

func TestFreezeStopsTheFamilyAndThawLetsItGoOn(t *testing.T) {
	t.Parallel()
	p, pids := supervised(t, supervisor(t), waits)
	for range 3 {
		p.Freeze()
		p.Freeze() // has no effect
		if got := states(t, pids[:1]); got[0] != "T" {
			t.Errorf("the process is in the state %s when Freeze returns", got[0])
		}
		await(t, pids, stopped)
		p.Thaw()
		p.Thaw()
		await(t, pids, running)
	}
}

// A process that started nothing is frozen without a look at all processes of
// the machine.
func TestFreezeOfALoneProcessIsCheap(t *testing.T) {
	t.Parallel()
	p, err := supervisor(t).Start(exec.Command("sleep", "1000"))
	if err != nil {
		t.Fatal(err)
	}
	if started(p.Pid()) {
		t.Error("a process without children is taken for one that has some")
	}
	family, _ := supervised(t, supervisor(t), waits)
	if !started(family.Pid()) {
		t.Error("a process with children is taken for one that has none")
	}
}

func TestFreezeOfAProcessThatHasEndedReturns(t *testing.T) {
	t.Parallel()
	p, err := supervisor(t).Start(exec.Command("true"))
	if err != nil {
		t.Fatal(err)
	}
	p.Freeze()
	p.Thaw()
	p.Kill()
	<-p.Done()
	p.Freeze()
	p.Thaw()
}
