package dev.orderly.cli.container;

import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.PlatformSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.Security;
import java.util.Arrays;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;

/**
 * One address for each service, whichever and however many containers run it: a connection goes to one of those that
 * take it.
 */
@Command(name = "doors", hidden = true, description = "In a container: pass connections on to the services.")
public final class TcpProxyCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(TcpProxyCommand.class);
    private static final int BEHIND = 8080; // where every service listens in its own container
    private static final int CONNECT_MILLIS = 1000;
    /** Through each door at once; more wait outside, or a crowd would cost the door its memory, and everybody their answers. */
    private static final int MOST_CALLERS = 500;

    private static final int BUFFER_BYTES = 8 * 1024;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Security.setProperty("networkaddress.cache.ttl", "1"); // containers come and go
        Security.setProperty("networkaddress.cache.negative.ttl", "0");
        for (ServiceDefinition service : ServiceDefinition.all(Checkout.path(), PlatformSettings.Ports.USUAL.http())) {
            var door = new ServerSocket(service.httpPort());
            Thread.ofPlatform().name(service.name()).start(() -> open(door, service.name()));
        }
        new CountDownLatch(1).await();
        return 0;
    }

    private static void open(ServerSocket door, String service) {
        var room = new Semaphore(MOST_CALLERS);
        try (door) {
            while (true) {
                room.acquireUninterruptibly();
                var caller = door.accept();
                Thread.startVirtualThread(() -> {
                    try {
                        pass(caller, service);
                    } finally {
                        room.release();
                    }
                });
            }
        } catch (IOException e) {
            LOG.error("the door of {} is shut", service, e);
            System.exit(1); // and started again
        }
    }

    private static void pass(Socket caller, String service) {
        try (caller;
                var behind = anyOf(service)) {
            var answers = Thread.startVirtualThread(() -> copy(behind, caller));
            copy(caller, behind);
            answers.join();
        } catch (IOException e) {
            LOG.info("nobody behind the door of {}: {}", service, e.toString());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static Socket anyOf(String service) throws IOException {
        var addresses = Arrays.asList(InetAddress.getAllByName(service));
        Collections.shuffle(addresses);
        IOException failure = null;
        for (InetAddress address : addresses) {
            var socket = new Socket();
            try {
                socket.setTcpNoDelay(true);
                socket.connect(new InetSocketAddress(address, BEHIND), CONNECT_MILLIS);
                return socket;
            } catch (IOException e) {
                socket.close();
                failure = e;
            }
        }
        throw failure;
    }

    /** Until one end has nothing more to say, and tells the other so; a broken end breaks both. */
    private static void copy(Socket from, Socket to) {
        try {
            var buffer = new byte[BUFFER_BYTES];
            for (int read; (read = from.getInputStream().read(buffer)) >= 0; ) {
                to.getOutputStream().write(buffer, 0, read);
            }
            to.shutdownOutput();
        } catch (IOException _) {
            close(from);
            close(to);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException _) {
            // as good as closed
        }
    }
}
