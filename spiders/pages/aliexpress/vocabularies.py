"""Where each generation of the shop's item data keeps what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Where one generation of item data keeps what; several paths for a field are tried in order."""

    page_format: str
    mandatory_part: str
    """The part that every page of the generation has and no other generation."""
    item_id: tuple[str, ...]
    title: tuple[str, ...]
    images: tuple[str, ...]
    price: tuple[tuple[str, str, str], ...]
    """(low amount, high amount, both as one text) of the price before any discount."""
    discounted: tuple[tuple[str, str, str], ...]
    currency: tuple[str, ...]
    rating: tuple[str, ...]
    review_count: tuple[str, ...]
    order_count: tuple[str, ...]
    store_name: tuple[str, ...]
    store_id: tuple[str, ...]
    store_url: tuple[str, ...]
    owner_id: tuple[str, ...]
    company_id: tuple[str, ...]
    breadcrumb: tuple[str, ...]
    specs: tuple[str, ...]
    sku: tuple[str, ...]
    description: tuple[str, ...]
    feedback_server: tuple[str, ...]
    ignored: frozenset[str]
    """Parts that hold nothing of ours."""

    def known_parts(self) -> frozenset[str]:
        """Name the top-level parts that are read or ignored on purpose."""
        paths: list[str] = [path for triple in self.price + self.discounted for path in triple]
        for value in (
            getattr(self, name) for name in self.__slots__ if name not in ("price", "discounted", "ignored")
        ):
            paths.extend(value if isinstance(value, tuple) else [value])
        return self.ignored | {path.partition(".")[0] for path in paths}


_IGNORED_MODULES = frozenset((
    "aePlusModule", "buyerProtectionModule", "couponModule", "features", "groupShareModule", "i18nMap",
    "installmentModule", "middleBannerModule", "name", "otherServiceModule", "preSaleModule", "prefix",
    "quantityModule", "recommendModule", "redirectModule", "shippingModule", "webEnv", "abTestMap"
))  # fmt: skip

_IGNORED_COMPONENTS = frozenset((
    "abTestComponent", "actionComponent", "addressComponent", "anchorComponent", "assembleComponent",
    "bookNowRemindComponent", "buyerComponent", "categoryTagComponent", "couponPriceComponent", "cpfComponent",
    "displayTitleComponent", "extraComponent", "i18nComponent", "installmentComponent", "inventoryComponent",
    "itemStatusComponent", "metaDataComponent", "multiLanguageUrlComponent", "packageComponent",
    "placeOrderComponent", "plusTagComponent", "preSaleComponent", "productTagComponent", "promiseComponent",
    "recommendComponent", "redirectComponent", "rootComponent", "sellerPromiseComponent", "siteInfoComponent",
    "storeFeedbackComponent", "titleBannerComponent", "vehicleComponent", "webCouponInfoComponent",
    "webGeneralFreightCalculateComponent", "webLongImageComponent", "wishListComponent"
))  # fmt: skip

_IGNORED_PARTS = frozenset((
    "ACTION", "BUYER_PROTECTION", "COUPON", "INVENTORY_PC", "MARKETING", "QUANTITY_PC", "RECOMMEND_PC", "SHIPPING",
    "SKU_TAX", "TAX_INFO", "SERVICE", "SHOP_RECOMMEND", "WISHLIST", "META"
))  # fmt: skip

MODULES = Vocabulary(
    page_format="runparams",
    mandatory_part="titleModule",
    item_id=("commonModule.productId", "actionModule.productId", "storeModule.productId", "pageModule.productId"),
    title=("titleModule.subject",),
    images=("imageModule.imagePathList", "imageModule.summImagePathList"),
    price=(("priceModule.minAmount", "priceModule.maxAmount", "priceModule.formatedPrice"),),
    discounted=(
        ("priceModule.minActivityAmount", "priceModule.maxActivityAmount", "priceModule.formatedActivityPrice"),
    ),
    currency=("priceModule.minAmount.currency", "commonModule.currencyCode", "webEnv.currency"),
    rating=("titleModule.feedbackRating.averageStar", "titleModule.feedbackRating.evarageStar"),
    review_count=("titleModule.feedbackRating.totalValidNum",),
    order_count=("titleModule.tradeCount", "titleModule.formatTradeCount"),
    store_name=("storeModule.storeName",),
    store_id=("storeModule.storeNum", "actionModule.storeNum"),
    store_url=("storeModule.storeURL",),
    owner_id=("feedbackModule.sellerAdminSeq", "storeModule.sellerAdminSeq", "commonModule.sellerAdminSeq"),
    company_id=("feedbackModule.companyId", "storeModule.companyId"),
    breadcrumb=("crossLinkModule.breadCrumbPathList",),
    specs=("specsModule.props",),
    sku=("skuModule.productSKUPropertyList",),
    description=("descriptionModule.descriptionUrl",),
    feedback_server=("feedbackModule.feedbackServer", "storeModule.feedbackServer"),
    ignored=_IGNORED_MODULES,
)

COMPONENTS = Vocabulary(
    page_format="components",
    mandatory_part="productInfoComponent",
    item_id=("productInfoComponent.idStr", "productInfoComponent.id"),
    title=("productInfoComponent.subject",),
    images=("imageComponent.imagePathList", "imageComponent.image640PathList"),
    price=(
        (
            "priceComponent.origPrice.minAmount",
            "priceComponent.origPrice.maxAmount",
            "priceComponent.origPrice.multiCurrencyFormatedPrice",
        ),
    ),
    discounted=(
        (
            "priceComponent.discountPrice.minActivityAmount",
            "priceComponent.discountPrice.maxActivityAmount",
            "priceComponent.discountPrice.multiCurrencyFormatedPrice",
        ),
    ),
    currency=("priceComponent.origPrice.minAmount.currency", "currencyComponent.currencyCode"),
    rating=("feedbackComponent.evarageStar", "feedbackComponent.averageStar"),
    review_count=("feedbackComponent.totalValidNum",),
    order_count=("tradeComponent.tradeCount", "tradeComponent.formatTradeCount"),
    store_name=("sellerComponent.storeName", "storeHeaderComponent.storeName"),
    store_id=("sellerComponent.storeNum", "storeHeaderComponent.storeNum"),
    store_url=("sellerComponent.storeURL", "storeHeaderComponent.storeURL"),
    owner_id=("sellerComponent.adminSeq", "productInfoComponent.adminSeq"),
    company_id=("sellerComponent.companyId",),
    breadcrumb=("breadcrumbComponent.pathList",),
    specs=("productPropComponent.props",),
    sku=("skuComponent.productSKUPropertyList",),
    description=("productDescComponent.descriptionUrl",),
    feedback_server=("sellerComponent.feedbackServer",),
    ignored=_IGNORED_COMPONENTS,
)

PARTS = Vocabulary(
    page_format="mtop",
    mandatory_part="PRODUCT_TITLE",
    item_id=("GLOBAL_DATA.globalData.productId", "GLOBAL_DATA.globalData.productInfo.productId", "PRICE.productId"),
    title=("PRODUCT_TITLE.text", "GLOBAL_DATA.globalData.subject"),
    images=("HEADER_IMAGE_PC.imagePathList", "HEADER_IMAGE_PC.mainImages"),
    price=(
        ("PRICE.origPrice.minAmount", "PRICE.origPrice.maxAmount", "PRICE.origPrice.formatedAmount"),
        (
            "PRICE.targetSkuPriceInfo.originalPrice",
            "PRICE.targetSkuPriceInfo.originalPrice",
            "PRICE.targetSkuPriceInfo.originalPrice.formatedAmount",
        ),
    ),
    discounted=(
        (
            "PRICE.discountPrice.minActivityAmount",
            "PRICE.discountPrice.maxActivityAmount",
            "PRICE.targetSkuPriceInfo.salePriceString",
        ),
    ),
    currency=("PRICE.targetSkuPriceInfo.originalPrice.currency", "GLOBAL_DATA.globalData.currencyCode"),
    rating=("PC_RATING.rating",),
    review_count=("PC_RATING.totalValidNum",),
    order_count=("PC_RATING.tradeCount", "PC_RATING.otherText"),
    store_name=("SHOP_CARD_PC.storeName", "GLOBAL_DATA.globalData.storeName"),
    store_id=("SHOP_CARD_PC.sellerInfo.storeNum", "GLOBAL_DATA.globalData.storeId"),
    store_url=("SHOP_CARD_PC.sellerInfo.storeURL", "SHOP_CARD_PC.storeHomePage"),
    owner_id=("SHOP_CARD_PC.sellerInfo.adminSeq", "GLOBAL_DATA.globalData.sellerId"),
    company_id=("SHOP_CARD_PC.sellerInfo.companyId",),
    breadcrumb=("BREADCRUMB.pathList", "GLOBAL_DATA.globalData.breadcrumb"),
    specs=("PRODUCT_PROP_PC.showedProps", "PRODUCT_PROP_PC.props"),
    sku=("SKU.skuProperties", "SKU.productSKUPropertyList"),
    description=("DESC.pcDescUrl", "DESC.nativeDescUrl"),
    feedback_server=(),
    ignored=_IGNORED_PARTS,
)

VOCABULARIES = (MODULES, COMPONENTS, PARTS)
"""All generations, the older first."""
