// An EST client on Bouncy Castle's own (org.bouncycastle.est), as Java programs have it: one operation a run.
// usage: Est root.pem host:port label|- operation [key=value ...]
//   cacerts | csrattrs | simpleenroll user= password= newkey= out= | simplereenroll key= chain= newkey= out=
// prints "<word> <facts>"; waits and asks again where the server says so (202).
import java.io.FileReader;
import java.io.FileWriter;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.est.CACertsResponse;
import org.bouncycastle.est.CSRRequestResponse;
import org.bouncycastle.est.ESTAuth;
import org.bouncycastle.est.ESTException;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.jcajce.JcaHttpAuthBuilder;
import org.bouncycastle.est.jcajce.JsseDefaultHostnameAuthorizer;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

public class Est
{
    static List<X509Certificate> certificates(String file) throws Exception
    {
        List<X509Certificate> all = new ArrayList<>();
        try (PEMParser parser = new PEMParser(new FileReader(file))) {
            for (Object o; (o = parser.readObject()) != null;)
                all.add(new JcaX509CertificateConverter().getCertificate((X509CertificateHolder)o));
        }
        return all;
    }

    static PrivateKey key(String file) throws Exception
    {
        try (PEMParser parser = new PEMParser(new FileReader(file))) {
            return new JcaPEMKeyConverter().getPrivateKey((PrivateKeyInfo)parser.readObject());
        }
    }

    static void write(String file, Object... what) throws Exception
    {
        try (JcaPEMWriter writer = new JcaPEMWriter(new FileWriter(file))) {
            for (Object o : what) writer.writeObject(o);
        }
    }

    static TrustManager[] trust(String root) throws Exception
    {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("root", certificates(root).get(0));
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return factory.getTrustManagers();
    }

    static KeyManager[] own(Map<String, String> args) throws Exception
    {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("own", key(args.get("key")), new char[0], certificates(args.get("chain")).toArray(new X509Certificate[0]));
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(store, new char[0]);
        return factory.getKeyManagers();
    }

    static PKCS10CertificationRequest request(X500Name name, KeyPair pair) throws Exception
    {
        return new JcaPKCS10CertificationRequestBuilder(name, pair.getPublic())
            .build(new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate()));
    }

    static KeyPair pair() throws Exception
    {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    static void enroll(ESTService service, boolean again, X500Name name, ESTAuth auth, String keyFile, String out) throws Exception
    {
        KeyPair pair = pair();
        PKCS10CertificationRequest request = request(name, pair);
        EnrollmentResponse response = service.simpleEnroll(again, request, auth);
        int waits = 0;
        while (!response.isCompleted()) {
            System.out.println("pending");
            if (++waits == 20) throw new Exception("still pending");
            Thread.sleep(Math.max(200, Math.min(2000, response.getNotBefore() - System.currentTimeMillis())));
            response = service.simpleEnroll(response);
        }
        List<Object> all = new ArrayList<>(response.getStore().getMatches(null));
        write(keyFile, new JcaPKCS8Generator(pair.getPrivate(), null));
        write(out, all.toArray());
        System.out.println("issued " + all.size());
    }

    public static void main(String[] argv) throws Exception
    {
        Security.addProvider(new BouncyCastleProvider());
        Map<String, String> args = new HashMap<>();
        for (int i = 4; i < argv.length; i++) args.put(argv[i].split("=", 2)[0], argv[i].split("=", 2)[1]);
        JsseESTServiceBuilder builder = new JsseESTServiceBuilder(argv[1], new X509TrustManager[] {(X509TrustManager)trust(argv[0])[0]});
        builder.withHostNameAuthorizer(new JsseDefaultHostnameAuthorizer(Set.of())).withTimeout(20000).withTLSVersion("TLS");
        if (args.containsKey("chain")) builder.withKeyManagers(own(args));
        if (!argv[2].equals("-")) builder.withLabel(argv[2]);
        ESTService service = builder.build();
        try {
            run(service, argv[3], args);
        } catch (ESTException e) {
            System.out.println("refused " + e.getStatusCode());
            System.exit(1);
        }
    }

    static void run(ESTService service, String operation, Map<String, String> args) throws Exception
    {
        if (operation.equals("cacerts")) {
            CACertsResponse response = service.getCACerts();
            System.out.println("cacerts " + response.getCertificateStore().getMatches(null).size());
        } else if (operation.equals("csrattrs")) {
            CSRRequestResponse response = service.getCSRAttributes();
            System.out.println("csrattrs " + response.hasAttributesResponse());
        } else if (operation.equals("simpleenroll")) {
            ESTAuth auth = new JcaHttpAuthBuilder(args.get("user"), args.get("password").toCharArray()).build();
            enroll(service, false, new X500Name("CN=request"), auth, args.get("newkey"), args.get("out"));
        } else {
            X500Name name = X500Name.getInstance(certificates(args.get("chain")).get(0).getSubjectX500Principal().getEncoded());
            enroll(service, true, name, null, args.get("newkey"), args.get("out"));
        }
    }
}
