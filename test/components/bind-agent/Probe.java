import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.AsynchronousServerSocketChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** Opens servers and connections in every way that servers do and prints the local address of each. */
class Probe {
  public static void main(String[] arguments) throws Exception {
    InetAddress other = InetAddress.getByName(arguments[0]);
    server("ServerSocket(port)", new ServerSocket(0));
    ServerSocket unbound = new ServerSocket();
    unbound.bind(null);
    server("ServerSocket.bind(null)", unbound);
    server("ServerSocket(IPv6 wildcard)", new ServerSocket(0, 5, InetAddress.getByName("::")));
    server("ServerSocket(other address)", new ServerSocket(0, 5, other));
    channel("ServerSocketChannel.bind(wildcard)", ServerSocketChannel.open().bind(new InetSocketAddress(0)));
    channel("ServerSocketChannel.bind(null)", ServerSocketChannel.open().bind(null));
    ServerSocketChannel adapted = ServerSocketChannel.open();
    adapted.socket().bind(new InetSocketAddress("0.0.0.0", 0), 5);
    channel("ServerSocketChannel.socket().bind(wildcard)", adapted);
    print(
        "AsynchronousServerSocketChannel.bind(wildcard)",
        ((InetSocketAddress) AsynchronousServerSocketChannel.open().bind(new InetSocketAddress(0)).getLocalAddress())
            .getAddress());

    // Closed at the end: a server that nothing refers to any more is closed by the garbage collector.
    ServerSocket listening = new ServerSocket(0, 50, other);
    InetSocketAddress remote = (InetSocketAddress) listening.getLocalSocketAddress();
    print("Socket(address)", new Socket(other, remote.getPort()).getLocalAddress());
    Socket bound = new Socket();
    bound.bind(new InetSocketAddress(other, 0));
    bound.connect(remote, 1000);
    print("Socket bound before", bound.getLocalAddress());
    print("SocketChannel.open(address)", local(SocketChannel.open(remote)));
    SocketChannel late = SocketChannel.open();
    late.socket().connect(remote, 1000);
    print("SocketChannel.socket().connect(address, timeout)", local(late));
    SocketChannel nonBlocking = SocketChannel.open();
    nonBlocking.configureBlocking(false);
    nonBlocking.connect(remote);
    while (!nonBlocking.finishConnect()) Thread.onSpinWait();
    print("SocketChannel, not blocking", local(nonBlocking));
    listening.close();
  }

  private static InetAddress local(SocketChannel channel) throws Exception {
    return ((InetSocketAddress) channel.getLocalAddress()).getAddress();
  }

  private static void server(String name, ServerSocket server) {
    print(name, server.getInetAddress());
  }

  private static void channel(String name, ServerSocketChannel channel) throws Exception {
    print(name, ((InetSocketAddress) channel.getLocalAddress()).getAddress());
  }

  private static void print(String name, InetAddress address) {
    System.out.println(name + "=" + address.getHostAddress());
  }
}
