"""Order logs in twenty languages, as the encodings that can hold them: text that tests of encodings are measured on."""

# ruff: noqa: E501
from __future__ import annotations

# fmt: off
ENCODINGS = {"de":"cp1252 latin-1 iso8859-15 mac-roman cp850 cp1250 iso8859-2 cp437","en":"cp1252 latin-1 iso8859-15 mac-roman","fr":"cp1252 latin-1 iso8859-15 mac-roman cp850","es":"cp1252 latin-1 iso8859-15 mac-roman cp850","pt":"cp1252 mac-roman","it":"cp1252 mac-roman","sv":"cp1252 mac-roman","da":"cp1252 mac-roman",
"pl":"cp1250 iso8859-2 cp852 mac-latin2","cs":"cp1250 iso8859-2 cp852 mac-latin2","hu":"cp1250 iso8859-2","tr":"cp1254","ru":"cp1251 koi8-r cp866 iso8859-5 mac-cyrillic","uk":"cp1251 koi8-u","el":"cp1253",
"hans":"gbk gb18030","hant":"big5 big5hkscs gb18030","ja":"cp932 euc-jp","ko":"cp949 euc-kr","mixed":"gb18030"}
LOGS = {
"en":("Order No;Customer;City;Product;Unit Price (£)",["Zoë Smith;Leeds;Café crème mug;£12.50","John Brown;London;Tea – loose;£3.00","Anne O’Neill;York;Façade lamp;£99.99","Peter Jones;Bath;Jalapeño dip;£4.20","Chloë Adams;Ely;Entrée plate;£7.00"]),
"de":("Bestell-Nr;Käufer;Straße;Stückpreis;Währung",["Jürgen Weiß;Goethestraße 4;Teekännchen grün;12,50 €","Anna Schmidt;Lübeck;Becher;3,00 €","Günther Größl;Fürth;Zuckerdöschen;8,10 €","Käthe Vogel;Görlitz;Süßstoff;1,99 €","Uwe Kurz;Bonn;Löffelchen;2,00 €"]),
"fr":("N° commande;Prénom;Montant réglé;Libellé",["Geneviève Lefèvre;Saint-Étienne;Théière émaillée;12,50 €","Benoît Garçon;Alençon;Pâté de campagne;7,90 €","Luc Petit;Lyon;Savon;2,00 €","Maëlle Dubois;Béziers;Crêpière;31,00 €","Agnès Roche;Orléans;Bœuf séché;14,20 €"]),
"es":("Nº pedido;Cliente;Descripción;Precio año",["Begoña Ibáñez;Cádiz;Jabón de miel;12,50 €","Raúl Peña;León;Té verde;3,10 €","Inés Gutiérrez;Málaga;Piñón tostado;9,00 €","Luis Gil;Toledo;Vaso;2,50 €","Iñaki Echevarría;Logroño;Azúcar moreno;1,20 €"]),
"pt":("Nº do pedido;Cliente;Descrição;Preço",["João Assunção;São Paulo;Maçã;3,20","Inês Araújo;Évora;Pão de ló;9,00","Luís Leitão;Brasília;Açaí;7,00"]),
"it":("N. ordine;Cliente;Quantità;Città",["Nicolò Ferrè;Forlì;Caffè;3","Maria Rossi;Roma;Tè;1","Zoé Cantù;Cefalù;Ragù;2"]),
"sv":("Ordernr;Kund;Belopp;Färg",["Åsa Nyström;Malmö;Grön kopp;99","Björn Håkansson;Luleå;Kaffebönor;45","Märta Lind;Växjö;Sått bröd;12"]),
"da":("Ordrenr;Køber;Beløb;Vare",["Søren Kjærgaard;Århus;Rød kop;99","Åse Bjørnsen;Tromsø;Smør;12","Jens Holm;Køge;Pålægschokolade;33"]),
"pl":("Nr zamówienia;Kupujący;Ilość;Wartość zł",["Zbigniew Gołębiowski;Bydgoszcz;Herbata zielona ćwierć kg;12,50","Agnieszka Wąsik;Świdnica;Imbryk żeliwny;99,00","Jan Nowak;Łomża;Cukierniczka;7,00","Grażyna Sękowska;Będzin;Dzbanek;15,00","Błażej Ostrowski;Suwałki;Kubek ręcznie malowany;31,00"]),
"cs":("Číslo objednávky;Odběratel;Množství;Částka Kč",["Bohuslav Řezníček;Děčín;Zelený čaj;120","Květoslava Dušková;Kroměříž;Konvička;890","Jan Novák;Písek;Lžička;15","Miloš Žák;Žďár nad Sázavou;Šálek s podšálkem;250","Růžena Ťoupalová;Uherský Brod;Medovník;99"]),
"hu":("Rendelésszám;Vásárló;Összeg Ft;Termék",["Bőhm Győző;Székesfehérvár;Teáskanna;5000","Szűcs Ágnes;Hódmezővásárhely;Fűszeres mez;900","Kis Pál;Vác;Bögre;1200"]),
"tr":("Sipariş No;Müşteri;Ürün;Tutar",["Ayşe Güngör;Iğdır;Çaydanlık;120","Hakan Işıklı;İzmit;Şekerlik;45","Gülşen Yağcı;Kırşehir;Fincan takımı;99"]),
"ru":("Номер заказа;Покупатель;Город;Сумма, руб",["Тимофей Щербаков;Ярославль;Чайник фарфоровый;1250","Любовь Журавлёва;Нижний Новгород;Варенье из айвы;340","Игорь Цой;Тверь;Ложка;90","Эльвира Хасанова;Казань;Пряник печатный;120","Глеб Юдин;Псков;Сушки;60"]),
"uk":("Номер замовлення;Покупець;Місто;Сума",["Ярослав Їжакевич;Чернівці;Ґречка;1250","Олеся Кіт;Полтава;Мед;340","Євген Ткач;Рівне;Чашка;90"]),
"el":("Αριθμός παραγγελίας;Πελάτης;Πόλη;Ποσό",["Δημήτρης Ξένος;Λάρισα;Μέλι;12","Ελένη Ζαχαρίου;Πάτρα;Κούπα;5","Νίκος Ψαράς;Βόλος;Ελαιόλαδο;9"]),
"hans":("订单号,买家姓名,收货城市,宝贝名称,实付款",["欧阳建国,石家庄,陶瓷保温杯,12.50","诸葛小梅,呼和浩特,桂花糕礼盒,99.00","王强,大连,不锈钢锅,45.00","司马静怡,昆明,鲜花饼,32.00","赵钱孙,宁波,雨伞,15.00"]),
"hant":("訂單編號,買家姓名,寄送縣市,商品名稱,實付金額",["歐陽志豪,彰化縣,鳳梨酥禮盒,320","劉淑芬,新竹市,保溫瓶,990","鍾怡君,澎湖縣,烏魚子,1200","張家豪,雲林縣,醬油,85","顏雅婷,臺北市,雨傘,199"]),
"ja":("ご注文番号,お名前,都道府県,商品,お支払金額",["渡辺さくら,北海道,有田焼の湯呑み,1250","佐々木健太,愛知県,ほうじ茶ティーバッグ,800","鈴木一郎,沖縄県,黒糖まんじゅう,540","高橋めぐみ,新潟県,笹だんご,980","山口勝,福井県,箸置き,300"]),
"ko":("주문 번호,구매자 성함,배송지,품목,결제 금액",["김하늘,경기도 성남시,도자기 찻주전자,12500","박서준,전라남도 여수시,유자청 선물세트,32000","이순신,강원도 춘천시,닭갈비,18000","최유리,충청북도 청주시,참기름,9000","정다은,경상북도 안동시,간고등어,15000"]),
"mixed":("Order ID,客户姓名,Product,Größe",["Müller,李雷,Teekanne grün,1","Иван,韩梅梅,чай,2","さくら,王五,茶,3"]),
}
# fmt: on


def snippets() -> list[tuple[str, str, int, str]]:
    """Language, encoding, rows (none: a header alone) and the text, without what the encoding lacks."""
    found = []
    for language, encodings in ENCODINGS.items():
        header, rows = LOGS[language]
        separator = "," if language in ("hans", "hant", "ja", "ko", "mixed") else ";"
        for codec in encodings.split():
            for count in (0, 1, 3, 50):
                lines = [f"{1000 + row}{separator}{rows[row % len(rows)]}" for row in range(count)]
                text = "\n".join([header, *lines, ""]).encode(codec, "ignore").decode(codec)
                if not text.isascii():
                    found.append((language, codec, count, text))
            for position, row in enumerate(rows):
                text = f"order;customer;product;amount\n1{separator}{row}\n" + "2;Smith;cup;3\n" * 5
                text = text.encode(codec, "ignore").decode(codec)
                if not text.isascii():
                    found.append((language, codec, -position - 1, text))
    return found
