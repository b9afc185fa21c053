// The same with Node's tls. usage: node handshake.js root.pem chain.pem key.pem server-name [crl.pem…]
const fs = require('fs'), tls = require('tls');
const [root, chain, key, name, ...crls] = process.argv.slice(2);
const pem = { ca: fs.readFileSync(root), cert: fs.readFileSync(chain), key: fs.readFileSync(key) };
if (crls.length) pem.crl = crls.map((f) => fs.readFileSync(f));
const end = (text, code) => { console.log(text); process.exit(code); };
const server = tls.createServer({ ...pem, requestCert: true, rejectUnauthorized: true }, (s) => s.end('hello'));
server.on('tlsClientError', (e) => end(`server: ${e.code} ${e.message}`, 1));
server.listen(0, '127.0.0.1', () => {
  const client = tls.connect({ ...pem, host: '127.0.0.1', port: server.address().port, servername: name },
    () => client.on('data', () => end('ok', 0)));
  client.on('error', (e) => end(`client: ${e.code} ${e.message}`, 1));
});
