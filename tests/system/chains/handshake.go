// Handshakes with itself over crypto/tls: chain.pem and key.pem as server and as client, root.pem as all there is to trust.
// crypto/tls looks at no revocation list by itself, so a program that wants one does what is done here.
// usage: handshake root.pem chain.pem key.pem server-name [list.pem ...]; prints "ok", or why not and exits with 1.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
)

// The lists, each checked against the certificate above in every chain that was verified.
func notRevoked(lists []*x509.RevocationList) func([][]byte, [][]*x509.Certificate) error {
	return func(_ [][]byte, chains [][]*x509.Certificate) error {
		for _, chain := range chains {
			for i := 0; i+1 < len(chain); i++ {
				found := false
				for _, list := range lists {
					if list.CheckSignatureFrom(chain[i+1]) != nil {
						continue
					}
					found = true
					for _, entry := range list.RevokedCertificates {
						if entry.SerialNumber.Cmp(chain[i].SerialNumber) == 0 {
							return fmt.Errorf("%v is revoked", chain[i].Subject)
						}
					}
				}
				if len(lists) > 0 && !found {
					return fmt.Errorf("no list for %v", chain[i].Subject)
				}
			}
		}
		return nil
	}
}

func readLists(files []string) (lists []*x509.RevocationList, err error) {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(text)
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
	return lists, nil
}

func main() {
	text, _ := os.ReadFile(os.Args[1])
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	lists, err := readLists(os.Args[5:])
	var own tls.Certificate
	if err == nil {
		own, err = tls.LoadX509KeyPair(os.Args[2], os.Args[3])
	}
	if err == nil {
		a, b := net.Pipe()
		done := make(chan error, 1)
		server := tls.Server(a, &tls.Config{Certificates: []tls.Certificate{own}, ClientCAs: roots,
			ClientAuth: tls.RequireAndVerifyClientCert, VerifyPeerCertificate: notRevoked(lists)})
		go func() { done <- server.Handshake(); a.Close() }()
		client := tls.Client(b, &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: roots, ServerName: os.Args[4],
			VerifyPeerCertificate: notRevoked(lists)})
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
