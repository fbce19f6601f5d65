package lambda.architecture.bind;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** Puts prologues before methods of a class file. */
final class PrologueWriter extends ClassVisitor {
  private final Map<String, Prologue> prologues;
  private final String address;
  private final Set<String> written = new HashSet<>();

  private PrologueWriter(ClassVisitor next, Map<String, Prologue> prologues, String address) {
    super(Opcodes.ASM9, next);
    this.prologues = prologues;
    this.address = address;
  }

  /**
   * The class file with the prologues, by method name and descriptor.
   *
   * @throws IllegalStateException if the class lacks one of the methods
   */
  static byte[] write(byte[] classFile, Map<String, Prologue> prologues, String address) {
    ClassReader reader = new ClassReader(classFile);
    ClassWriter writer = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
    PrologueWriter visitor = new PrologueWriter(writer, prologues, address);
    reader.accept(visitor, 0);
    if (!visitor.written.equals(prologues.keySet())) {
      throw new IllegalStateException(
          reader.getClassName() + " has only " + visitor.written + " of " + prologues.keySet()
              + ": this JDK is not one that bind-agent knows");
    }
    return writer.toByteArray();
  }

  @Override
  public MethodVisitor visitMethod(
      int access, String name, String descriptor, String signature, String[] exceptions) {
    MethodVisitor next = super.visitMethod(access, name, descriptor, signature, exceptions);
    Prologue prologue = prologues.get(name + descriptor);
    if (prologue == null) return next;
    written.add(name + descriptor);
    return new MethodVisitor(Opcodes.ASM9, next) {
      @Override
      public void visitCode() {
        super.visitCode();
        prologue.write(mv, address);
      }
    };
  }
}
