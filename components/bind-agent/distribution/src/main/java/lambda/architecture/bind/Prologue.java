package lambda.architecture.bind;

import static org.objectweb.asm.Opcodes.ALOAD;
import static org.objectweb.asm.Opcodes.ASTORE;
import static org.objectweb.asm.Opcodes.CHECKCAST;
import static org.objectweb.asm.Opcodes.DUP;
import static org.objectweb.asm.Opcodes.F_SAME;
import static org.objectweb.asm.Opcodes.GOTO;
import static org.objectweb.asm.Opcodes.ICONST_0;
import static org.objectweb.asm.Opcodes.IFEQ;
import static org.objectweb.asm.Opcodes.IFNE;
import static org.objectweb.asm.Opcodes.IFNONNULL;
import static org.objectweb.asm.Opcodes.IFNULL;
import static org.objectweb.asm.Opcodes.INSTANCEOF;
import static org.objectweb.asm.Opcodes.INVOKESPECIAL;
import static org.objectweb.asm.Opcodes.INVOKESTATIC;
import static org.objectweb.asm.Opcodes.INVOKEVIRTUAL;
import static org.objectweb.asm.Opcodes.NEW;
import static org.objectweb.asm.Opcodes.NOP;
import static org.objectweb.asm.Opcodes.POP;

import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;

/**
 * Code put before the first instruction of a method whose first parameter is a {@code SocketAddress}. It uses classes of
 * java.base alone: a helper class would have to go on the boot class path, and that switches class-data sharing off.
 */
enum Prologue {
  /**
   * <pre>{@code
   * if (local == null) local = new InetSocketAddress(ADDRESS, 0);
   * else if (local instanceof InetSocketAddress inet && inet.getAddress() != null && inet.getAddress().isAnyLocalAddress())
   *   local = new InetSocketAddress(ADDRESS, inet.getPort());
   * }</pre>
   */
  REPLACE_WILDCARD {
    @Override
    void write(MethodVisitor code, String address) {
      Label absent = new Label();
      Label done = new Label();
      code.visitVarInsn(ALOAD, 1);
      code.visitJumpInsn(IFNULL, absent);
      jumpUnless(code, "isAnyLocalAddress", done);
      newSocketAddress(
          code,
          address,
          () -> {
            loadInetSocketAddress(code);
            code.visitMethodInsn(INVOKEVIRTUAL, INET_SOCKET_ADDRESS, "getPort", "()I", false);
          });
      code.visitVarInsn(ASTORE, 1);
      code.visitJumpInsn(GOTO, done);
      code.visitLabel(absent);
      code.visitFrame(F_SAME, 0, null, 0, null);
      newSocketAddress(code, address, () -> code.visitInsn(ICONST_0));
      code.visitVarInsn(ASTORE, 1);
      end(code, done);
    }
  },

  /**
   * <pre>{@code
   * if (remote instanceof InetSocketAddress inet && inet.getAddress() != null && inet.getAddress().isLoopbackAddress()
   *     && !isBound())
   *   bind(new InetSocketAddress(ADDRESS, 0));
   * }</pre>
   */
  BIND_SOCKET {
    @Override
    void write(MethodVisitor code, String address) {
      Label done = new Label();
      jumpUnless(code, "isLoopbackAddress", done);
      code.visitVarInsn(ALOAD, 0);
      code.visitMethodInsn(INVOKEVIRTUAL, SOCKET, "isBound", "()Z", false);
      code.visitJumpInsn(IFNE, done);
      code.visitVarInsn(ALOAD, 0);
      newSocketAddress(code, address, () -> code.visitInsn(ICONST_0));
      code.visitMethodInsn(INVOKEVIRTUAL, SOCKET, "bind", "(Ljava/net/SocketAddress;)V", false);
      end(code, done);
    }
  },

  /** The same for a {@code SocketChannel}, which is bound if {@code getLocalAddress() != null}. */
  BIND_CHANNEL {
    @Override
    void write(MethodVisitor code, String address) {
      Label done = new Label();
      jumpUnless(code, "isLoopbackAddress", done);
      code.visitVarInsn(ALOAD, 0);
      code.visitMethodInsn(INVOKEVIRTUAL, CHANNEL, "getLocalAddress", "()Ljava/net/SocketAddress;", false);
      code.visitJumpInsn(IFNONNULL, done);
      code.visitVarInsn(ALOAD, 0);
      newSocketAddress(code, address, () -> code.visitInsn(ICONST_0));
      code.visitMethodInsn(
          INVOKEVIRTUAL, CHANNEL, "bind", "(Ljava/net/SocketAddress;)Ljava/nio/channels/SocketChannel;", false);
      code.visitInsn(POP);
      end(code, done);
    }
  };

  private static final String INET_ADDRESS = "java/net/InetAddress";
  private static final String INET_SOCKET_ADDRESS = "java/net/InetSocketAddress";
  private static final String SOCKET = "java/net/Socket";
  private static final String CHANNEL = "java/nio/channels/SocketChannel";

  /** Writes the code; {@code address} is an IP address, so that no name is ever resolved. */
  abstract void write(MethodVisitor code, String address);

  /** Goes on only if parameter 1 is a resolved InetSocketAddress whose address answers true to {@code question}. */
  private static void jumpUnless(MethodVisitor code, String question, Label target) {
    code.visitVarInsn(ALOAD, 1);
    code.visitTypeInsn(INSTANCEOF, INET_SOCKET_ADDRESS);
    code.visitJumpInsn(IFEQ, target);
    loadInetAddress(code);
    code.visitJumpInsn(IFNULL, target);
    loadInetAddress(code);
    code.visitMethodInsn(INVOKEVIRTUAL, INET_ADDRESS, question, "()Z", false);
    code.visitJumpInsn(IFEQ, target);
  }

  private static void loadInetSocketAddress(MethodVisitor code) {
    code.visitVarInsn(ALOAD, 1);
    code.visitTypeInsn(CHECKCAST, INET_SOCKET_ADDRESS);
  }

  private static void loadInetAddress(MethodVisitor code) {
    loadInetSocketAddress(code);
    code.visitMethodInsn(INVOKEVIRTUAL, INET_SOCKET_ADDRESS, "getAddress", "()Ljava/net/InetAddress;", false);
  }

  private static void newSocketAddress(MethodVisitor code, String address, Runnable port) {
    code.visitTypeInsn(NEW, INET_SOCKET_ADDRESS);
    code.visitInsn(DUP);
    code.visitLdcInsn(address);
    code.visitMethodInsn(INVOKESTATIC, INET_ADDRESS, "getByName", "(Ljava/lang/String;)Ljava/net/InetAddress;", false);
    port.run();
    code.visitMethodInsn(INVOKESPECIAL, INET_SOCKET_ADDRESS, "<init>", "(Ljava/net/InetAddress;I)V", false);
  }

  /** The prologue changes no local variable's type, so the frame at its end is the method's first one. */
  private static void end(MethodVisitor code, Label done) {
    code.visitLabel(done);
    code.visitFrame(F_SAME, 0, null, 0, null);
    // Keeps this frame apart from one that the method itself may have at its first instruction.
    code.visitInsn(NOP);
  }
}
