// DoH with Node's http2. usage: node doh_client.js root.pem chain.pem key.pem url query-in-base64url times
// 100 questions at a time on one connection, every other one by POST; prints {"<status> <content-type> <answer in hex>": how often}.
const fs = require('fs'), http2 = require('http2');
const [root, chain, key, url, query, times] = process.argv.slice(2);
const { origin, pathname, hostname, port } = new URL(url);
const session = http2.connect(origin, {
  ca: fs.readFileSync(root), cert: fs.readFileSync(chain), key: fs.readFileSync(key), servername: hostname,
  lookup: (name, options, done) => done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4),
});
session.on('error', (e) => { console.error(e.message); process.exit(1); });
const seen = {}, body = Buffer.from(query, 'base64url');
let left = Number(times), open = 0;
function ask() {
  if (left === 0) { if (open === 0) session.close(() => console.log(JSON.stringify(seen))); return; }
  left--; open++;
  const isPost = left % 2 === 0;
  const stream = session.request(isPost
    ? { ':method': 'POST', ':path': pathname, 'content-type': 'application/dns-message' }
    : { ':path': `${pathname}?dns=${query}`, accept: 'application/dns-message' });
  const parts = [];
  let head;
  stream.on('response', (h) => { head = h; });
  stream.on('data', (d) => parts.push(d));
  stream.on('end', () => {
    const what = `${head[':status']} ${head['content-type']} ${Buffer.concat(parts).toString('hex')}`;
    seen[what] = (seen[what] || 0) + 1;
    open--;
    ask();
  });
  if (isPost) stream.end(body); else stream.end();
}
for (let i = 0; i < 100; i++) ask();
