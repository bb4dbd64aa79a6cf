// SPDX-License-Identifier: Apache-2.0

// A net/http server that reads what it gets and says hello.
package main

import (
	"crypto/tls"
	"flag"
	"io"
	"log"
	"net/http"
)

var versions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

func hello(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		log.Print(err)
	}
	io.WriteString(w, "hello\n")
}

// hangUp takes the request and closes.
func hangUp(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		log.Fatal(err)
	}
	connection.Close()
}

func main() {
	address := flag.String("address", "127.0.0.1:8080", "")
	idle := flag.Duration("idle", 0, "IdleTimeout")
	read := flag.Duration("read", 0, "ReadTimeout")
	version := flag.String("tls", "", "1.2 or 1.3: only this version")
	certificate := flag.String("certificate", "", "a PEM file")
	key := flag.String("key", "", "a PEM file")
	flag.Parse()
	routes := http.NewServeMux()
	routes.HandleFunc("/", hello)
	routes.HandleFunc("/hang-up", hangUp)
	server := http.Server{Addr: *address, Handler: routes, IdleTimeout: *idle, ReadTimeout: *read}
	if *version == "" {
		log.Fatal(server.ListenAndServe())
	}
	// An empty map turns HTTP/2 off.
	server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	server.TLSConfig = &tls.Config{MinVersion: versions[*version], MaxVersion: versions[*version]}
	log.Fatal(server.ListenAndServeTLS(*certificate, *key))
}
