package leadbench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.UUID;

/** What is known of a lead: a decayed score, its tier, the last ids. */
final class Lead {
    static final String[] TIERS = {"cold", "warm", "hot"};

    private static final double[] ENTER = {Double.NEGATIVE_INFINITY, 5, 20};
    private static final double[] EXIT = {Double.NEGATIVE_INFINITY, 2.5, 10};
    private static final double RATE = Math.log(2) / (7L * 86_400_000L);
    private static final int RECENT_IDS_MAX = 64;
    private static final int ID_BYTES = 16;
    private static final int HEAD_BYTES = 17;

    double score;
    long atMs;
    int tier;
    private final ArrayDeque<UUID> recentIds = new ArrayDeque<>();

    static Lead at(long atMs) {
        Lead lead = new Lead();
        lead.atMs = atMs;
        return lead;
    }

    /** Adds an event; returns whether it was new. */
    boolean fold(Event event) {
        UUID id = UUID.fromString(event.eventId);
        if (recentIds.contains(id)) {
            return false;
        }
        recentIds.addLast(id);
        if (recentIds.size() > RECENT_IDS_MAX) {
            recentIds.removeFirst();
        }
        long sinceMs = event.occurredAtMs - atMs;
        if (sinceMs >= 0) {
            score = score * Math.exp(-RATE * sinceMs) + event.weight;
            atMs = event.occurredAtMs;
        } else {
            score += event.weight * Math.exp(RATE * sinceMs);
        }
        tier = judged();
        return true;
    }

    private int judged() {
        int reached = score >= ENTER[2] ? 2 : score >= ENTER[1] ? 1 : 0;
        if (reached > tier) {
            return reached;
        }
        if (score >= EXIT[tier]) {
            return tier;
        }
        return tier == 2 && score >= EXIT[1] ? 1 : 0;
    }

    byte[] change(Event event, int before) {
        return ("{\"lead_id\": \"" + event.leadId + "\", \"event_id\": \"" + event.eventId
                + "\", \"from\": \"" + TIERS[before] + "\", \"to\": \"" + TIERS[tier]
                + "\", \"score\": " + score + "}").getBytes(StandardCharsets.UTF_8);
    }

    byte[] toBytes() {
        ByteBuffer bytes = ByteBuffer.allocate(HEAD_BYTES + ID_BYTES * recentIds.size());
        bytes.putDouble(score).putLong(atMs).put((byte) tier);
        for (UUID id : recentIds) {
            bytes.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
        }
        return bytes.array();
    }

    static Lead ofBytes(byte[] value) {
        ByteBuffer bytes = ByteBuffer.wrap(value);
        Lead lead = new Lead();
        lead.score = bytes.getDouble();
        lead.atMs = bytes.getLong();
        lead.tier = bytes.get();
        while (bytes.hasRemaining()) {
            lead.recentIds.addLast(new UUID(bytes.getLong(), bytes.getLong()));
        }
        return lead;
    }
}
