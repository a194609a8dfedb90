"""Mathematics that knows no network: arrays, quadrature, closed forms, roots."""
