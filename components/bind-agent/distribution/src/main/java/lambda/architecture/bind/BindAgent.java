package lambda.architecture.bind;

import java.io.IOException;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.security.ProtectionDomain;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Binds every TCP server of a JVM that asks for the wildcard address to one address instead:
 * {@code -javaagent:bind-agent.jar=ADDRESS}. Storm, YARN and MapReduce open such ports and have no setting for them.
 *
 * <p>If the address is a loopback address, outgoing connections to loopback addresses come from it as well, so that a
 * server sees in them the instance's own address rather than 127.0.0.1.
 *
 * <p>It fails closed: if any of it cannot be done, the JVM ends with exit code {@value #EXIT_CODE} before its main class
 * runs. Not covered: sockets that native code opens (Netty's epoll transport), UDP.
 */
public final class BindAgent {
  private static final int EXIT_CODE = 70;

  /** What is prepended to which methods of the JDK (17 to 25); each class must have all of its methods. */
  private static final Map<String, Map<String, Prologue>> SERVERS =
      Map.of(
          "java/net/ServerSocket",
          Map.of("bind(Ljava/net/SocketAddress;I)V", Prologue.REPLACE_WILDCARD),
          "sun/nio/ch/ServerSocketChannelImpl",
          Map.of("netBind(Ljava/net/SocketAddress;I)Ljava/net/SocketAddress;", Prologue.REPLACE_WILDCARD),
          "sun/nio/ch/AsynchronousServerSocketChannelImpl",
          Map.of(
              "bind(Ljava/net/SocketAddress;I)Ljava/nio/channels/AsynchronousServerSocketChannel;",
              Prologue.REPLACE_WILDCARD));

  private static final Map<String, Map<String, Prologue>> CLIENTS =
      Map.of(
          "java/net/Socket",
          Map.of("connect(Ljava/net/SocketAddress;I)V", Prologue.BIND_SOCKET),
          "sun/nio/ch/SocketChannelImpl",
          Map.of(
              "connect(Ljava/net/SocketAddress;)Z", Prologue.BIND_CHANNEL,
              "blockingConnect(Ljava/net/SocketAddress;J)V", Prologue.BIND_CHANNEL));

  private BindAgent() {}

  /** Entry point of {@code -javaagent}; {@code argument} is the address: IP or host name. */
  public static void premain(String argument, Instrumentation instrumentation) {
    try {
      InetAddress address = addressOf(argument);
      rewrite(address, instrumentation);
      check(address);
    } catch (Throwable failure) {
      fail(failure);
    }
  }

  private static InetAddress addressOf(String argument) throws UnknownHostException {
    if (argument == null || argument.isBlank()) {
      throw new IllegalArgumentException("no address: write -javaagent:…/bind-agent.jar=ADDRESS");
    }
    InetAddress address = InetAddress.getByName(argument);
    if (address.isAnyLocalAddress()) {
      throw new IllegalArgumentException(argument + " is the wildcard address: name one of this machine's addresses");
    }
    return address;
  }

  private static void rewrite(InetAddress address, Instrumentation instrumentation) throws Exception {
    Map<String, Map<String, Prologue>> methods = new HashMap<>(SERVERS);
    if (address.isLoopbackAddress()) methods.putAll(CLIENTS);
    Set<String> rewritten = new HashSet<>();
    ClassFileTransformer transformer =
        new ClassFileTransformer() {
          @Override
          public byte[] transform(
              ClassLoader loader, String name, Class<?> type, ProtectionDomain domain, byte[] classFile) {
            if (loader != null || name == null || !methods.containsKey(name)) return null;
            try {
              byte[] result = PrologueWriter.write(classFile, methods.get(name), address.getHostAddress());
              rewritten.add(name);
              return result;
            } catch (Throwable failure) {
              // What a transformer throws is swallowed by the JVM, which would then run the class as it was.
              fail(failure);
              return null;
            }
          }
        };
    Class<?>[] types = new Class<?>[methods.size()];
    int index = 0;
    for (String name : methods.keySet()) types[index++] = Class.forName(name.replace('/', '.'), false, null);
    // It stays registered: should another agent retransform these classes, they start from the JDK's own code again.
    instrumentation.addTransformer(transformer, true);
    instrumentation.retransformClasses(types);
    if (!rewritten.equals(methods.keySet())) {
      throw new IllegalStateException("only " + rewritten + " could be rewritten of " + methods.keySet());
    }
  }

  /** Opens a server of each kind that is in use and looks where it really is. */
  private static void check(InetAddress address) throws IOException {
    try (ServerSocket socket = new ServerSocket(0);
        ServerSocketChannel channel = ServerSocketChannel.open().bind(new InetSocketAddress(0))) {
      InetAddress ofChannel = ((InetSocketAddress) channel.getLocalAddress()).getAddress();
      if (!socket.getInetAddress().equals(address) || !ofChannel.equals(address)) {
        throw new IllegalStateException(
            "a server is on " + socket.getInetAddress() + " and " + ofChannel + " in spite of the rewriting");
      }
    }
  }

  private static void fail(Throwable failure) {
    System.err.println("bind-agent: cannot bind this JVM's servers to one address, so it does not start: " + failure);
    failure.printStackTrace();
    Runtime.getRuntime().halt(EXIT_CODE);
  }
}
