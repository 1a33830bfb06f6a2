#pragma once

#include <algorithm>
#include <cmath>

namespace stackae::search {

/// A point of a picture in shares of its width and height: (0, 0) the upper left corner, (1, 1) the lower
/// right.
struct Point {
    double x = 0.0;
    double y = 0.0;
};

/// An affine map of the plane, to = A (from − ½) + b: of points of one picture to points of another.
struct Affine {
    double xx = 1.0;
    double xy = 0.0;
    double yx = 0.0;
    double yy = 1.0;
    Point to{0.5, 0.5};  ///< b, where the middle goes

    [[nodiscard]] Point operator()(Point from) const {
        const double x = from.x - 0.5;
        const double y = from.y - 0.5;
        return {xx * x + xy * y + to.x, yx * x + yy * y + to.y};
    }
    /// first, then this.
    [[nodiscard]] Affine after(const Affine& first) const {
        return {xx * first.xx + xy * first.yx, xx * first.xy + xy * first.yy, yx * first.xx + yy * first.yx,
                yx * first.xy + yy * first.yy, (*this)(first.to)};
    }
    [[nodiscard]] double determinant() const { return xx * yy - xy * yx; }
    /// Of a map whose determinant is not 0.
    [[nodiscard]] Affine inverse() const {
        const double d = determinant();
        Affine back{yy / d, -xy / d, -yx / d, xx / d, {0.5, 0.5}};
        const Point middle = back(to);
        back.to = {1.0 - middle.x, 1.0 - middle.y};
        return back;
    }
    /// How far a corner goes at most.
    [[nodiscard]] double displacement() const {
        double most = 0.0;
        for (const Point corner : {Point{0.0, 0.0}, Point{0.0, 1.0}, Point{1.0, 0.0}, Point{1.0, 1.0}}) {
            const Point there = (*this)(corner);
            most = std::max(most, std::hypot(there.x - corner.x, there.y - corner.y));
        }
        return most;
    }
    /// Share of the points of the one picture that lie on the other.
    [[nodiscard]] double overlap() const {
        constexpr int steps = 20;
        int inside = 0;
        for (int i = 0; i < steps * steps; ++i) {
            const Point to_there = (*this)({(i % steps + 0.5) / steps, (i / steps + 0.5) / steps});
            inside +=
                to_there.x >= 0.0 && to_there.x <= 1.0 && to_there.y >= 0.0 && to_there.y <= 1.0 ? 1 : 0;
        }
        return static_cast<double>(inside) / (steps * steps);
    }
};

}  // namespace stackae::search
