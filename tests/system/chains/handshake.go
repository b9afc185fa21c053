// Handshakes with itself over crypto/tls: chain.pem and key.pem as server and as client, root.pem as all there is to trust.
// usage: handshake root.pem chain.pem key.pem server-name; prints "ok", or why not and exits with 1.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
)

func main() {
	pem, _ := os.ReadFile(os.Args[1])
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	own, err := tls.LoadX509KeyPair(os.Args[2], os.Args[3])
	if err == nil {
		a, b := net.Pipe()
		done := make(chan error, 1)
		server := tls.Server(a, &tls.Config{Certificates: []tls.Certificate{own}, ClientCAs: roots,
			ClientAuth: tls.RequireAndVerifyClientCert})
		go func() { done <- server.Handshake(); a.Close() }()
		client := tls.Client(b, &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: roots, ServerName: os.Args[4]})
		err = client.Handshake()
		b.Close()
		if served := <-done; err == nil {
			err = served
		}
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ok")
}
