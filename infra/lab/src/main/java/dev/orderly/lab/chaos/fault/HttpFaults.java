package dev.orderly.lab.chaos.fault;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.orderly.lab.chaos.fault.FaultInjector.FaultNotInjected;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Clients that hold connections and requests open, as slow networks do, and attackers (slowloris). */
final class HttpFaults {
    /** As many as a service processes commands at the same time. */
    private static final int SENDERS = 200;

    private static final Duration SEND_INTERVAL = Duration.ofSeconds(1);
    private static final int ANNOUNCED_BYTES = 500;

    /** A command of each service. */
    private static final Map<String, String> COMMANDS = Map.of(
            "order-service", "POST /orders",
            "inventory-service", "PUT /stock/chaos",
            "payment-service", "POST /payments/callbacks",
            "notification-service", "POST /logs");

    private final RunningPlatform system;

    HttpFaults(RunningPlatform system) {
        this.system = system;
    }

    /** Each sends the head of a command, and then its body byte by byte, which never ends. */
    void sendSlowly(Fault fault) throws IOException, InterruptedException, FaultNotInjected {
        var head = "%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                .formatted(COMMANDS.get(fault.target()), ANNOUNCED_BYTES);
        holdOpen(fault, head, " ");
    }

    /** Each sends the head of a request, line by line, which never ends. */
    void sendHalfHeads(Fault fault) throws IOException, InterruptedException, FaultNotInjected {
        holdOpen(fault, "GET /parked-events HTTP/1.1\r\nHost: localhost\r\n", "X-More: yes\r\n");
    }

    /** A connection that the service closes is opened again. */
    private void holdOpen(Fault fault, String begin, String more) throws InterruptedException, FaultNotInjected {
        var url = system.url(fault.target(), "/");
        var service = new InetSocketAddress(url.getHost(), url.getPort());
        var senders = new ArrayList<SocketChannel>();
        int connected = 0;
        try {
            long end = System.nanoTime() + fault.duration().toNanos();
            while (System.nanoTime() < end) {
                var ended =
                        senders.stream().filter(sender -> !sends(sender, more)).toList();
                closeAll(ended);
                senders.removeAll(ended);
                while (senders.size() < SENDERS && connect(service, begin, senders)) {
                    connected++;
                }
                TimeUnit.MILLISECONDS.sleep(SEND_INTERVAL.toMillis());
            }
        } finally {
            closeAll(senders);
        }
        if (connected == 0) {
            throw new FaultNotInjected(fault.target() + " accepted no connection");
        }
    }

    private static boolean connect(InetSocketAddress service, String begin, List<SocketChannel> senders) {
        try {
            var sender = SocketChannel.open();
            senders.add(sender);
            sender.setOption(StandardSocketOptions.TCP_NODELAY, true);
            sender.connect(service);
            sender.configureBlocking(false);
            return sends(sender, begin);
        } catch (IOException _) {
            return false; // down, or at its limit
        }
    }

    private static boolean sends(SocketChannel sender, String text) {
        try {
            sender.write(ByteBuffer.wrap(text.getBytes(US_ASCII)));
            return sender.read(ByteBuffer.allocate(1024)) == 0; // neither answered nor closed
        } catch (IOException _) {
            return false;
        }
    }

    private static void closeAll(List<SocketChannel> senders) {
        for (var sender : senders) {
            try {
                sender.close();
            } catch (IOException _) {
                // The other side was faster.
            }
        }
    }
}
