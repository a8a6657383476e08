"""How RocksDB is set up: memory within a bound that holds for any number of entries and copies."""

from rocksdict import (
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DBCompactionStyle,
    DBCompressionType,
    Options,
    UniversalCompactOptions,
    WriteBufferManager,
    WriteOptions,
)

BLOOM_BITS = 10
MEMORY_TABLES_MAX = 3
RUNS_MAX = 8
"""Files or rows of files, each in order; more are merged."""

OLD_VALUES_PERCENT_MAX = 100
"""Of what holds: so much more may be on disk until everything is merged."""

MEMORY_TABLE_BLOOM_RATIO = 0.02
"""Of a memory table; to find out in the table itself that a lead is not there takes 1.5 us."""

INDEX_BLOCK_BYTES = 4 << 10
OPEN_FILES_MAX = 256
LOG_FILES_MAX = 2


class RocksMemory:
    """The memory that all copies of a process share.

    Parameters
    ----------
    bytes_max : int
        For blocks of data, of indexes and of filters, and for memory tables.
    write_buffer_bytes_max : int
        Of that, for memory tables: what was written and is in no file yet.
    """

    def __init__(self, *, bytes_max: int, write_buffer_bytes_max: int) -> None:
        self.cache = Cache(bytes_max)
        self.write_buffers = WriteBufferManager.new_write_buffer_manager_with_cache(
            write_buffer_bytes_max,
            False,
            self.cache,  # more than that flushes, and stops no writer
        )
        self.memory_table_bytes = write_buffer_bytes_max // (MEMORY_TABLES_MAX + 1)


def options(memory: RocksMemory) -> Options:
    """Return the options of a copy."""
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(_blocks(memory))
    options.set_write_buffer_manager(memory.write_buffers)
    options.set_write_buffer_size(memory.memory_table_bytes)
    options.set_max_write_buffer_number(MEMORY_TABLES_MAX)
    options.set_compaction_style(DBCompactionStyle.universal())
    options.set_universal_compaction_options(_merging())
    options.set_level_zero_file_num_compaction_trigger(RUNS_MAX)
    options.set_memtable_prefix_bloom_ratio(MEMORY_TABLE_BLOOM_RATIO)
    options.set_memtable_whole_key_filtering(True)
    options.set_compression_type(DBCompressionType.none())  # ids do not compress
    options.set_max_open_files(OPEN_FILES_MAX)
    options.set_keep_log_file_num(LOG_FILES_MAX)
    return options


def write_options() -> WriteOptions:
    """Return the options of a write: no log, as the changelog is one.

    Memory tables go to files in the order in which they were filled, each write batch in one of
    them, so after a crash the files hold all batches up to one of them.
    """
    options = WriteOptions()
    options.disable_wal = True  # type: ignore[method-assign,assignment]  # a property in truth
    return options


def _merging() -> UniversalCompactOptions:
    """Return how runs are merged: those of a size, so that the largest are seldom rewritten.

    By levels, as is RocksDB's default, its threads were busy with it for twice as long.
    """
    merging = UniversalCompactOptions()
    merging.max_size_amplification_percent = OLD_VALUES_PERCENT_MAX
    return merging


def _blocks(memory: RocksMemory) -> BlockBasedOptions:
    """Return how files are laid out: also their indexes and filters are read block by block.

    Whole, they would take more of the cache the more entries there are, up to all of it.
    """
    blocks = BlockBasedOptions()
    blocks.set_block_cache(memory.cache)
    blocks.set_bloom_filter(BLOOM_BITS, False)  # the library's own order
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_index_type(BlockBasedIndexType.two_level_index_search())
    blocks.set_partition_filters(True)
    blocks.set_metadata_block_size(INDEX_BLOCK_BYTES)
    blocks.set_pin_top_level_index_and_filter(True)
    return blocks
