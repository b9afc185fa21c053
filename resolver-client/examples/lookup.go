// Looks devices up from Go, several goroutines on one handle; pkg-config finds the library.
//
//	go run lookup.go FEDERATION URL ADDRESS CA CHAIN KEY DEVEUI...
package main

// #cgo pkg-config: fedroam
// #include <fedroam/fedroam.h>
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"sync"
)

func connect(args []string) *C.struct_fedroam {
	var handle *C.struct_fedroam
	text := make([]*C.char, len(args))
	for i, arg := range args {
		text[i] = C.CString(arg) // kept: the program ends soon
	}
	options := C.fedroam_options_new()
	defer C.fedroam_options_free(options)
	if C.fedroam_options_add_federation(options, text[0], text[3], text[4], text[5]) != C.FEDROAM_OK ||
		C.fedroam_options_add_broker(options, text[0], text[1], &text[2], 1) != C.FEDROAM_OK ||
		C.fedroam_new(options, &handle) != C.FEDROAM_OK {
		fmt.Fprintln(os.Stderr, C.GoString(C.fedroam_options_error(options)))
		os.Exit(2)
	}
	return handle
}

func lookUp(handle *C.struct_fedroam, deveui uint64) string {
	var a *C.struct_fedroam_answer
	if C.fedroam_wait_device(handle, nil, C.uint64_t(deveui), 0, &a) != C.FEDROAM_OK {
		return fmt.Sprintf("%016x failed", deveui)
	}
	defer C.fedroam_answer_free(a)
	if C.fedroam_answer_result(a) != C.FEDROAM_FOUND {
		return fmt.Sprintf("%016x not found %s", deveui, C.GoString(C.fedroam_answer_reason(a)))
	}
	return fmt.Sprintf("%016x %06x %s", deveui, C.fedroam_answer_netid(a), C.GoString(C.fedroam_answer_endpoint_text(a, 0)))
}

func main() {
	var wait sync.WaitGroup
	handle := connect(os.Args[1:7])
	for _, arg := range os.Args[7:] {
		deveui, _ := strconv.ParseUint(arg, 16, 64)
		wait.Add(1)
		go func() {
			defer wait.Done()
			fmt.Println(lookUp(handle, deveui))
		}()
	}
	wait.Wait()
	C.fedroam_free(handle)
}
