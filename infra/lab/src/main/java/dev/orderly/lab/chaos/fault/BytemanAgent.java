package dev.orderly.lab.chaos.fault;

import com.sun.tools.attach.AgentInitializationException;
import com.sun.tools.attach.AgentLoadException;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jboss.byteman.agent.Transform;
import org.jboss.byteman.agent.submit.ScriptText;
import org.jboss.byteman.agent.submit.Submit;

/**
 * Installs <a href="https://byteman.jboss.org">Byteman</a> rules in a running JVM, for crash points and
 * mutations of services that have no hook for them. A rule is gone with its process.
 */
final class BytemanAgent {

    private static final Path AGENT = Path.of(
            Transform.class.getProtectionDomain().getCodeSource().getLocation().getPath());

    /** By process id, since a JVM loads the agent only once. */
    private final Map<Long, Submit> agents = new ConcurrentHashMap<>();

    /** Adds rules to those that the process has. */
    void install(long pid, String rules) throws IOException {
        submit(pid, agent -> agent.addScripts(scripts(rules)));
    }

    void uninstall(long pid, String rules) throws IOException {
        submit(pid, agent -> agent.deleteScripts(scripts(rules)));
    }

    /**
     * Why rules of a process are not in force. Byteman checks the types of a rule when its location is first
     * reached, and then drops a rule that does not fit silently: so this has to be polled.
     */
    List<String> failures(long pid) throws IOException {
        return submit(pid, Submit::listAllRules)
                .lines()
                .filter(line -> line.startsWith("threw ") || line.startsWith("failed to compile"))
                .distinct()
                .toList();
    }

    private static List<ScriptText> scripts(String rules) {
        return List.of(new ScriptText("rules", rules));
    }

    private interface Request {
        String of(Submit agent) throws Exception;
    }

    private String submit(long pid, Request request) throws IOException {
        try {
            var agent = agents.get(pid);
            if (agent == null) {
                agent = Attachment.to(pid);
                agents.put(pid, agent);
            }
            return request.of(agent);
        } catch (IOException e) {
            throw e;
        } catch (Exception e) { // all that Submit declares
            throw new IOException(e);
        }
    }

    /** Loaded only when needed, since the JRE in the containers has no attach interface. */
    private static final class Attachment {
        private Attachment() {}

        static Submit to(long pid) throws IOException {
            int port = freePort();
            try {
                var machine = VirtualMachine.attach(String.valueOf(pid));
                try {
                    machine.loadAgent(
                            AGENT.toString(), "listener:true,address:127.0.0.1,port:" + port + ",boot:" + AGENT);
                } finally {
                    machine.detach();
                }
                return new Submit("127.0.0.1", port);
            } catch (AttachNotSupportedException | AgentLoadException | AgentInitializationException e) {
                throw new IOException(e);
            }
        }

        private static int freePort() throws IOException {
            try (var socket = new ServerSocket(0)) {
                return socket.getLocalPort();
            }
        }
    }
}
