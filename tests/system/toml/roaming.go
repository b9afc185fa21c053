// Reads ChirpStack's roaming tables as ChirpStack v3 does: its TOML library, keys that it does not know refused, times by
// time.ParseDuration, key pairs and CA files loaded by crypto/tls. v4's tables differ in names (-v4).
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/pelletier/go-toml"
)

type files struct {
	CACert  string `toml:"ca_cert"`
	TLSCert string `toml:"tls_cert"`
	TLSKey  string `toml:"tls_key"`
}

type server struct {
	NetID    string `toml:"net_id"`
	Passive  bool   `toml:"passive_roaming"`
	Lifetime string `toml:"passive_roaming_lifetime"`
	Server   string `toml:"server"`
	CACert   string `toml:"ca_cert"`
	TLSCert  string `toml:"tls_cert"`
	TLSKey   string `toml:"tls_key"`
}

type listener struct {
	Bind    string `toml:"bind"`
	CACert  string `toml:"ca_cert"`
	TLSCert string `toml:"tls_cert"`
	TLSKey  string `toml:"tls_key"`
}

type v3 struct {
	Roaming struct {
		Suffix  string   `toml:"resolve_netid_domain_suffix"`
		API     listener `toml:"api"`
		Servers []server `toml:"servers"`
	} `toml:"roaming"`
}

type v4 struct {
	Listener listener `toml:"backend_interfaces"`
	Roaming  struct {
		Suffix  string   `toml:"resolve_net_id_domain_suffix"`
		Servers []server `toml:"servers"`
	} `toml:"roaming"`
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func load(f files) {
	_, err := tls.LoadX509KeyPair(f.TLSCert, f.TLSKey)
	must(err)
	ca, err := os.ReadFile(f.CACert)
	must(err)
	if !x509.NewCertPool().AppendCertsFromPEM(ca) {
		must(fmt.Errorf("%s: no certificate", f.CACert))
	}
}

func main() {
	isV4 := flag.Bool("v4", false, "")
	flag.Parse()
	text, err := io.ReadAll(os.Stdin)
	must(err)
	var old v3
	var new v4
	if *isV4 {
		must(toml.NewDecoder(bytes.NewReader(text)).Strict(true).Decode(&new))
		old.Roaming.API, old.Roaming.Suffix, old.Roaming.Servers = new.Listener, new.Roaming.Suffix, new.Roaming.Servers
	} else {
		must(toml.NewDecoder(bytes.NewReader(text)).Strict(true).Decode(&old))
	}
	r := old.Roaming
	load(files{r.API.CACert, r.API.TLSCert, r.API.TLSKey})
	told := map[string]interface{}{"bind": r.API.Bind, "suffix": r.Suffix}
	servers := map[string]interface{}{}
	for _, s := range r.Servers {
		load(files{s.CACert, s.TLSCert, s.TLSKey})
		lifetime, err := time.ParseDuration(s.Lifetime)
		must(err)
		where, err := url.Parse(s.Server)
		must(err)
		servers[s.NetID] = map[string]interface{}{"seconds": lifetime.Seconds(), "host": where.Hostname(), "port": where.Port(),
			"scheme": where.Scheme, "passive": s.Passive}
	}
	told["servers"] = servers
	must(json.NewEncoder(os.Stdout).Encode(told))
}
