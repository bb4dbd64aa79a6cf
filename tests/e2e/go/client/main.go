// SPDX-License-Identifier: Apache-2.0

// A net/http client with a connection pool. Each line of standard input is a method, "GET" or "POST"; each
// request is answered by one JSON object on standard output. Ends with its input.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	url       = flag.String("url", "http://127.0.0.1:8080/", "")
	keepalive = flag.Duration("keepalive", -1, "TCP keepalive; off when negative")
	plainRead = flag.Bool("no-reader", false, "one connection that nobody reads between requests")
	burst     = flag.Int("burst", 0, "so many connections, each used again after a pause; then waits for the end of its input")
	pause     = flag.Duration("pause", 0, "of a burst")
	ports     = flag.Uint("ports", 20000, "local ports begin behind this one")
	spread    = flag.Duration("spread", 0, "of a burst: pauses differ by so much to either side")
)

type outcome struct {
	Status int    `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
	Local  string `json:"local,omitempty"` // of the first connection that was tried
}

// A port for each connection of a burst, so that none is used again and an address is a connection.
var lastPort uint32

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: *keepalive}
	if *burst > 0 {
		dialer.LocalAddr = &net.TCPAddr{Port: int(atomic.AddUint32(&lastPort, 1))}
	}
	return dialer.DialContext(ctx, network, address)
}

func pool() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:     dial,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
}

func do(client *http.Client, method string) (result outcome) {
	var body io.Reader
	if method == "POST" {
		body = strings.NewReader("order=1")
	}
	request, err := http.NewRequest(method, *url, body)
	if err != nil {
		log.Fatal(err)
	}
	trace := httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if result.Local == "" {
			result.Local = info.Conn.LocalAddr().String()
		}
	}}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), &trace))
	response, err := client.Do(request)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	if err != nil {
		result.Error = err.Error()
		return result
	}
	result.Status = response.StatusCode
	return result
}

// A connection that is written and read in turns, like that of many a driver.
type turns struct {
	connection *tls.Conn
	reader     *bufio.Reader
}

func (t *turns) dial() {
	address := strings.TrimSuffix(strings.TrimPrefix(*url, "https://"), "/")
	connection, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		log.Fatal(err)
	}
	t.connection, t.reader = connection, bufio.NewReader(connection)
}

// "CLOSE" closes, which says farewell.
func (t *turns) do(method string) outcome {
	if t.connection == nil {
		t.dial()
	}
	if method == "CLOSE" {
		t.connection.Close()
		return outcome{}
	}
	result := outcome{Local: t.connection.LocalAddr().String()}
	_, err := fmt.Fprintf(t.connection, "%s / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", method)
	if err == nil {
		var response *http.Response
		if response, err = http.ReadResponse(t.reader, nil); err == nil {
			result.Status = response.StatusCode
			_, err = io.Copy(io.Discard, response.Body)
		}
	}
	if err != nil {
		result.Error = err.Error()
	}
	return result
}

// Every connection is a pool's only one, and used again at its own moment around the pause.
func doBurst(output *json.Encoder) {
	results := make([]outcome, *burst)
	var all sync.WaitGroup
	for i := range results {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			client := pool()
			first := do(client, "GET")
			answered := time.Now()
			offset := *spread*time.Duration(2*i)/time.Duration(*burst) - *spread
			time.Sleep(time.Until(answered.Add(*pause + offset)))
			results[i] = do(client, "POST")
			results[i].Local = first.Local
			client.CloseIdleConnections()
		}(i)
		time.Sleep(5 * time.Millisecond) // so that a machine of few CPUs can keep the moments apart
	}
	all.Wait()
	for _, result := range results {
		output.Encode(result)
	}
}

func main() {
	flag.Parse()
	lastPort = uint32(*ports)
	output := json.NewEncoder(os.Stdout)
	if *burst > 0 {
		doBurst(output)
		os.Stdout.Close()
		io.Copy(io.Discard, os.Stdin)
		return
	}
	client := pool()
	perform := func(method string) outcome { return do(client, method) }
	if *plainRead {
		perform = new(turns).do
	}
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		output.Encode(perform(input.Text()))
	}
}
