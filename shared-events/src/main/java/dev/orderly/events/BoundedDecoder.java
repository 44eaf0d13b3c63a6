package dev.orderly.events;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.Decoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.util.Utf8;

/**
 * Avro's decoder, for bytes that others wrote: no length in them is taken that is more than what is left.
 * Avro alone allocates up to 2 GB for a text or a list that a record of ten bytes announces; its limits are
 * system properties, of the whole process. And a text that is not UTF-8 is refused, as in the other formats;
 * Avro would read another one.
 */
final class BoundedDecoder extends Decoder {

    private final BinaryDecoder in;

    BoundedDecoder(ByteBuffer value) {
        in = DecoderFactory.get().binaryDecoder(value.array(), value.position(), value.remaining(), null);
    }

    boolean isEnd() throws IOException {
        return in.isEnd();
    }

    private long bounded(long length) throws IOException {
        if (length < 0 || length > in.inputStream().available()) {
            throw new IOException("a length is negative, or beyond the end");
        }
        return length;
    }

    @Override
    public ByteBuffer readBytes(ByteBuffer old) throws IOException {
        var bytes = new byte[(int) bounded(in.readLong())];
        in.readFixed(bytes);
        return ByteBuffer.wrap(bytes);
    }

    @Override
    public void skipBytes() throws IOException {
        in.skipFixed((int) bounded(in.readLong()));
    }

    @Override
    public void skipString() throws IOException {
        skipBytes();
    }

    @Override
    public String readString() throws IOException {
        return UTF_8.newDecoder().decode(readBytes(null)).toString();
    }

    @Override
    public Utf8 readString(Utf8 old) throws IOException {
        return new Utf8(readString());
    }

    // No item of an event takes less than a byte.

    @Override
    public long readArrayStart() throws IOException {
        return bounded(in.readArrayStart());
    }

    @Override
    public long arrayNext() throws IOException {
        return bounded(in.arrayNext());
    }

    @Override
    public long skipArray() throws IOException {
        return skipBlocks();
    }

    /** A negative size would skip backwards, for ever. */
    private long skipBlocks() throws IOException {
        var items = in.readLong();
        while (items < 0) { // a block that says its size
            skipBytes();
            items = in.readLong();
        }
        return bounded(items);
    }

    @Override
    public long readMapStart() throws IOException {
        return bounded(in.readMapStart());
    }

    @Override
    public long mapNext() throws IOException {
        return bounded(in.mapNext());
    }

    @Override
    public long skipMap() throws IOException {
        return skipBlocks();
    }

    // What follows allocates nothing.

    @Override
    public void readNull() throws IOException {
        in.readNull();
    }

    @Override
    public boolean readBoolean() throws IOException {
        return in.readBoolean();
    }

    @Override
    public int readInt() throws IOException {
        return in.readInt();
    }

    @Override
    public long readLong() throws IOException {
        return in.readLong();
    }

    @Override
    public float readFloat() throws IOException {
        return in.readFloat();
    }

    @Override
    public double readDouble() throws IOException {
        return in.readDouble();
    }

    @Override
    public void readFixed(byte[] bytes, int start, int length) throws IOException {
        in.readFixed(bytes, start, length);
    }

    @Override
    public void skipFixed(int length) throws IOException {
        in.skipFixed(length);
    }

    @Override
    public int readEnum() throws IOException {
        return in.readEnum();
    }

    @Override
    public int readIndex() throws IOException {
        return in.readIndex();
    }
}
