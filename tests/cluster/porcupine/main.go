// Checks the history of a run (deno task faults --history FILE) with porcupine, which knows nothing of Waterpark and
// shares no code with it. ../README.md says what the lines are.
//
//	go run . history.jsonl
//
// Exit code 0: every actor's appends can be put into one order that real time allows, in which seqs rise by one. 1: not
// so; the keys are named. 2: the file could not be read, or porcupine did not get through within -timeout.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// A line is an invocation or a completion; Process is a number, or "nemesis".
type line struct {
	Process any    `json:"process"`
	Type    string `json:"type"`
	F       string `json:"f"`
	Key     string `json:"key"`
	Id      string `json:"id"`
	Value   int    `json:"value"`
	Time    int64  `json:"time"`
}

// What an append answered when nobody knows: any seq, at any time, or none.
const unknown = -1

// An actor's history is a log. Its state is the number of its messages; an append makes it one more and answers that.
var log = porcupine.Model{
	Init: func() any { return 0 },
	Step: func(state, _, output any) (bool, any) {
		next := state.(int) + 1
		return output == unknown || output == next, next
	},
	Equal: func(a, b any) bool { return a == b },
}

// read gives the operations by key. An append of which nobody knows ends after everything else: put last in the order,
// it is one that never took effect.
func read(from io.Reader) (map[string][]porcupine.Operation, error) {
	calls := map[string]line{}
	operations := map[string][]porcupine.Operation{}
	end := func(call line, output int, returned int64) {
		operations[call.Key] = append(operations[call.Key], porcupine.Operation{
			Input: call.Id, Call: call.Time, Output: output, Return: returned,
		})
	}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for number := 1; lines.Scan(); number++ {
		var one line
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if one.Process == "nemesis" {
			continue
		}
		call, isOpen := calls[one.Id]
		if one.F != "append" || one.Id == "" || isOpen == (one.Type == "invoke") {
			return nil, fmt.Errorf("line %d: an append is invoked once, then completed", number)
		}
		switch one.Type {
		case "invoke":
			calls[one.Id] = one
			continue
		case "ok":
			if one.Key != call.Key || one.Value < 1 || one.Time < call.Time {
				return nil, fmt.Errorf("line %d: an answer to something else", number)
			}
			end(call, one.Value, one.Time)
		case "info":
			end(call, unknown, math.MaxInt64)
		case "fail":
		default:
			return nil, fmt.Errorf("line %d: the type must be invoke, ok, fail or info", number)
		}
		delete(calls, one.Id)
	}
	for _, call := range calls {
		end(call, unknown, math.MaxInt64)
	}
	return operations, lines.Err()
}

func main() {
	timeout := flag.Duration("timeout", time.Minute, "for each key")
	flag.Parse()
	file, err := os.Open(flag.Arg(0))
	if err != nil {
		give(2, "Cannot read the history: %v", err)
	}
	operations, err := read(file)
	if err != nil {
		give(2, "Cannot read the history: %v", err)
	}
	keys := make([]string, 0, len(operations))
	appends := 0
	for key, all := range operations {
		keys = append(keys, key)
		appends += len(all)
	}
	if appends == 0 {
		give(2, "Cannot check the history as it has no append")
	}
	sort.Strings(keys)
	code := 0
	for _, key := range keys {
		switch porcupine.CheckOperationsTimeout(log, operations[key], *timeout) {
		case porcupine.Illegal:
			fmt.Printf("not linearizable: %s\n", key)
			code = 1
		case porcupine.Unknown:
			fmt.Printf("not checked within %v: %s\n", *timeout, key)
			if code == 0 {
				code = 2
			}
		}
	}
	if code == 0 {
		fmt.Printf("linearizable: %d appends, %d actors\n", appends, len(keys))
	}
	os.Exit(code)
}

func give(code int, format string, what ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", what...)
	os.Exit(code)
}
