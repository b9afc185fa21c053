/* Gives programs that have no option for it a client certificate: preloaded, it stands before libssl and loads into each new
 * context what FR_CLIENT_CHAIN and FR_CLIENT_KEY name. For foreign load generators against the broker.
 * Owns: nothing. Threads: any. Errors: said on standard error; the handshake then fails as it should. */
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    SSL_CTX *(*real)(const SSL_METHOD *);
    void *symbol = dlsym(RTLD_NEXT, "SSL_CTX_new");
    const char *chain = getenv("FR_CLIENT_CHAIN"), *key = getenv("FR_CLIENT_KEY");

    if (symbol == NULL) return NULL;
    memcpy(&real, &symbol, sizeof real);
    SSL_CTX *ctx = real(method);
    if (ctx == NULL || chain == NULL || key == NULL) return ctx;
    if (SSL_CTX_use_certificate_chain_file(ctx, chain) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        (void)fprintf(stderr, "client_cert: %s or %s cannot be used\n", chain, key);
    return ctx;
}
