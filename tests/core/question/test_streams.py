import torch

from core.question.streams import stream_seed


def test_streams_of_neighbouring_seeds_and_layers_differ_in_the_bits_torch_uses():
    # torch's CPU generator uses the lower 32 bits of its seed alone.
    low = {stream_seed(seed, layer) % 2**32 for seed in range(100) for layer in range(101)}
    # 10,100 random 32-bit numbers: 0.012 collisions expected.
    assert len(low) >= 10_099


def test_seeds_that_agree_in_their_lower_half_give_other_numbers():
    def first(seed):
        return torch.randn(4, generator=torch.Generator().manual_seed(stream_seed(seed, 1)))

    assert not torch.equal(first(7), first(7 + 2**32))


def test_the_scheme_never_changes_because_links_depend_on_it():
    assert stream_seed(0, 0) == 0xE220A8397B1DCDAF  # SplitMix64's published first output
    assert stream_seed(2**63 - 1, 2000) < 2**64
