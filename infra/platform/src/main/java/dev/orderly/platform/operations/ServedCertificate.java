package dev.orderly.platform.operations;

import dev.orderly.platform.config.Certificates;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** What a server shows to its clients. */
public final class ServedCertificate {
    static final String POSTGRES = "postgres";

    private static final int TIMEOUT_MILLIS = 5_000;
    private static final int SSL_REQUEST = 80877103;

    private ServedCertificate() {}

    /** The certificate of a handshake, in which the client shows none: the server ends it only after that. */
    public static X509Certificate of(Certificates certificates, String host, int port, String server)
            throws IOException, GeneralSecurityException {
        var trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null);
        trusted.setCertificateEntry("authority", read(certificates.authority()));
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        var tls = SSLContext.getInstance("TLSv1.3");
        tls.init(null, trust.getTrustManagers(), null);
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), TIMEOUT_MILLIS);
            socket.setSoTimeout(TIMEOUT_MILLIS);
            if (server.equals(POSTGRES)) {
                requestEncryption(socket);
            }
            try (var encrypted = (SSLSocket) tls.getSocketFactory().createSocket(socket, host, port, true)) {
                encrypted.startHandshake();
                return (X509Certificate) encrypted.getSession().getPeerCertificates()[0];
            }
        }
    }

    /** PostgreSQL's protocol begins without TLS: 8 bytes ask for it, and one answers. */
    private static void requestEncryption(Socket socket) throws IOException {
        var out = new DataOutputStream(socket.getOutputStream());
        out.writeInt(Integer.BYTES * 2);
        out.writeInt(SSL_REQUEST);
        if (socket.getInputStream().read() != 'S') {
            throw new IOException("PostgreSQL does not offer TLS");
        }
    }

    /** The first certificate of a file. */
    static X509Certificate read(Path file) throws IOException, GeneralSecurityException {
        try (var text = Files.newInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(text);
        }
    }
}
