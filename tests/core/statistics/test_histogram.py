import numpy as np

from core.statistics.histogram import MAX_BINS, Histogram


def test_coarsening_merges_pairs_and_loses_nothing():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 9, (7, 3001)).astype(np.int32)
    for first_key in (100, 101, 103):
        fine = Histogram(first_key, 1, counts)
        coarse = fine.coarsened()
        assert coarse.counts.shape[1] <= MAX_BINS
        np.testing.assert_array_equal(coarse.counts.sum(1), fine.counts.sum(1))
        # Every coarse edge that lies within is a fine edge, and what lies below it is the same.
        for place, edge in enumerate(coarse.log2_edges):
            below = counts[:, : np.searchsorted(fine.log2_edges, edge)].sum(1)
            np.testing.assert_array_equal(coarse.counts[:, :place].sum(1), below)


def test_joining_puts_different_ranges_on_one_axis():
    low = Histogram(4000, 1, np.ones((2, 3), np.int32))
    empty = Histogram(17, 1, np.zeros((1, 0), np.int32))
    high = Histogram(4010, 1, np.full((1, 2), 5, np.int32))
    whole = Histogram.joined([low, empty, high])
    assert (whole.first_key, whole.counts.shape) == (4000, (4, 12))
    assert whole.counts.sum(1).tolist() == [3, 3, 0, 10]
    assert whole.counts[3, 10:].tolist() == [5, 5]


def test_edges_divide_an_octave_at_three_halves():
    key_of_one = 1023 * 2
    edges = Histogram(key_of_one, 1, np.zeros((1, 2), np.int32)).log2_edges
    np.testing.assert_allclose(2**edges, [1, 1.5, 2], rtol=1e-15)


def test_octaves_have_equal_width_and_whole_edges_and_lose_nothing():
    rng = np.random.default_rng(1)
    for first_key in (2040, 2041):
        for bins in (1, 2, 7, 128, 600):
            fine = Histogram(first_key, 1, rng.integers(0, 9, (3, bins)).astype(np.int32))
            for histogram in (fine, fine.coarsened()):
                counts, edges = histogram.by_octave(64)
                assert counts.shape[1] <= 65 and len(edges) == counts.shape[1] + 1
                assert (np.diff(edges) == np.diff(edges)[0]).all() and (edges % 1 == 0).all()
                np.testing.assert_array_equal(counts.sum(1), fine.counts.sum(1))
                for place, edge in enumerate(edges):
                    below = histogram.counts[:, : np.searchsorted(histogram.log2_edges, edge)]
                    np.testing.assert_array_equal(counts[:, :place].sum(1), below.sum(1))
